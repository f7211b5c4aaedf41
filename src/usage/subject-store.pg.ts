import type { Sql } from '../kernel/sql.ts';

/** Whom usage belongs to; see table usage_subject. */
export interface Subject {
  readonly attributed: boolean;
  readonly consumer: string;
  readonly principal: string;
  readonly host: string;
  readonly platformId: string | null;
  readonly organization: string;
  readonly offeringId: string;
  readonly offeringName: string;
  readonly planId: string;
  readonly planName: string;
  readonly instanceRef: string;
  readonly lineageId: string;
  readonly bindingRef: string;
}
const nobody = {
  platformId: null,
  organization: '',
  offeringId: '',
  offeringName: '',
  planId: '',
  planName: '',
  instanceRef: '',
  lineageId: '',
  bindingRef: '',
};
/** Traffic that no binding explains: kept under its principal and host. */
export const unattributed = (principal: string, host: string): Subject => ({
  ...nobody,
  attributed: false,
  consumer: principal,
  principal,
  host,
});

const keyOf = (s: Subject): string => (s.attributed ? `${s.bindingRef || s.instanceRef} ${s.planId}` : `? ${s.principal} ${s.host}`);
const columns = `key, attributed, consumer, principal, host, platform_id, organization, offering_id, offering_name, plan_id, plan_name, instance_ref, lineage_id, binding_ref`;
const insert = {
  name: 'usage_subject_insert',
  text: `insert into usage_subject (${columns}) select * from jsonb_to_recordset($1) as s (key text, attributed boolean, consumer text, principal text, host text,
      platform_id uuid, organization text, offering_id text, offering_name text, plan_id text, plan_name text, instance_ref text, lineage_id text, binding_ref text)
    on conflict (key) do nothing`,
};
const select = { name: 'usage_subject_select', text: 'select id, key from usage_subject where key = any ($1)' };

/** Ids of the subjects, made where missing. In another order than asked: by key. */
export async function subjectIds(sql: Sql, subjects: readonly Subject[]): Promise<(subject: Subject) => number> {
  const byKey = new Map(subjects.map((subject) => [keyOf(subject), subject]));
  const keys = [...byKey.keys()].sort();
  const known = new Map((await sql.run<{ id: number; key: string }>(select, [keys])).rows.map(({ id, key }) => [key, id]));
  const missing = keys.filter((key) => !known.has(key));
  if (missing.length > 0) {
    await sql.run(insert, [JSON.stringify(missing.map((key) => toRow(key, byKey.get(key))))]);
    for (const { id, key } of (await sql.run<{ id: number; key: string }>(select, [missing])).rows) known.set(key, id);
  }
  return (subject) => {
    const id = known.get(keyOf(subject));
    if (id === undefined) throw new Error(`no subject ${keyOf(subject)}`);
    return id;
  };
}
const toRow = (key: string, subject: Subject | undefined): Record<string, unknown> => {
  const row: Record<string, unknown> = { key };
  for (const [name, value] of Object.entries(subject ?? {})) row[name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)] = value;
  return row;
};
