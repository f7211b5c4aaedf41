import { fileURLToPath } from 'node:url';

/** Root of the package: sources lie in src/ of a clone, and in dist/src/ where it is installed. */
export const packageFolder = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '..' : '../..', import.meta.url)).replace(/\/$/, '');
