import type { ErrorObject, ValidateFunction } from 'ajv';
import ajvDraft04 from 'ajv-draft-04';
import ajvFormats from 'ajv-formats';
import type { JsonObject } from '../kernel/json.ts';
import type { DocumentPath } from './problem.ts';

const newAjv = (): InstanceType<typeof ajvDraft04.default> => {
  const ajv = new ajvDraft04.default({ allErrors: true, strict: false, verbose: true, logger: false, code: { optimize: false } });
  ajvFormats.default(ajv);
  return ajv;
};
const metaSchema = newAjv();

/** A validator of a draft-04 schema; throws where the schema is not valid. Each has its own compiler, so that schemas forgotten are freed. */
export const compileDraft04 = (schema: JsonObject): ValidateFunction => newAjv().compile(schema);

/** What the draft-04 meta-schema says against the schema; fast (the meta-schema is compiled once). */
export function draft04Problems(schema: JsonObject): readonly { readonly path: DocumentPath; readonly message: string }[] {
  if (metaSchema.validateSchema(schema) === true) return [];
  const errors: readonly ErrorObject[] = metaSchema.errors ?? [];
  return errors.map((error) => ({
    path: error.instancePath
      .split('/')
      .slice(1)
      .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
      .map((step) => (/^\d+$/.test(step) ? Number(step) : step)),
    message: error.message ?? 'is not valid',
  }));
}
