import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const noEnvironment = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'Only src/config.ts and src/main.ts read the environment: take a setting instead.',
};
const noHostClock = {
  selector: "CallExpression[callee.object.name='Date'][callee.property.name='now'], NewExpression[callee.name='Date'][arguments.length=0]",
  message: 'Take a Clock (src/kernel/clock.ts), so that tests can move time.',
};
const noUrlForSpiffe = {
  selector: "NewExpression[callee.name='URL'] > Literal[value=/spiffe/]",
  message: 'SPIFFE IDs are parsed by src/identity/spiffe-id.ts only.',
};
const noRandom = {
  selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']",
  message: 'Take a Random (src/kernel/random.ts).',
};

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.meshbroker/', '.cache/', 'src/api/generated/', 'bin/', '.dependency-cruiser.cjs'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'no-console': 'error',
      eqeqeq: 'error',
      complexity: ['error', 12],
      'max-lines': ['error', { max: 400 }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true, named: true } }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      'no-restricted-syntax': ['error', noEnvironment, noHostClock, noUrlForSpiffe, noRandom],
    },
  },
  {
    files: ['src/config.ts', 'src/main.ts'],
    rules: { 'no-restricted-syntax': ['error', noHostClock, noUrlForSpiffe, noRandom] },
  },
  {
    files: ['src/kernel/clock.ts', 'src/kernel/random.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  { files: ['src/cli/**', 'scripts/**', 'bench/**'], rules: { 'no-console': 'off' } },
  {
    files: ['test/**', 'bench/**', 'scripts/**', '*.config.ts', '**/*.test.ts'],
    rules: {
      'max-lines-per-function': 'off',
      complexity: 'off',
      'no-restricted-syntax': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  { files: ['**/*.d.ts'], rules: { 'no-restricted-exports': 'off' } },
  { files: ['migrations/**'], rules: { 'max-lines-per-function': 'off' } },
  { files: ['*.config.ts', '*.config.js'], rules: { 'no-restricted-exports': 'off' } },
  { files: ['*.js', '**/*.cjs'], extends: [tseslint.configs.disableTypeChecked] },
);
