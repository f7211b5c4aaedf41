import { idsOf } from './decode-offering.ts';
import type { OfferingFile } from './offering-file.ts';
import type { DocumentPath, Finding } from './problem.ts';
import { printPath } from './problem.ts';

/** Names of offerings are unique in the catalogue, ids of offerings and plans too (CAT-02, CAT-03, CAT-16). Reported where they come again. */
export function findDuplicates<Owner extends { readonly file: OfferingFile }>(
  owners: readonly Owner[],
  place: (owner: Owner) => string,
): readonly { readonly owner: Owner; readonly finding: Finding }[] {
  const found: { owner: Owner; finding: Finding }[] = [];
  const names = new Map<string, Owner>();
  const ids = new Map<string, Owner>();
  const claim = (taken: Map<string, Owner>, value: string, what: string, owner: Owner, path: DocumentPath): void => {
    const before = taken.get(value);
    if (before === undefined) {
      taken.set(value, owner);
      return;
    }
    const finding = {
      severity: 'error',
      path,
      what: `${printPath(path)}: the ${what} "${value}" is already taken by the offering at ${place(before)}`,
      fix: 'choose another one',
    } as const;
    found.push({ owner, finding });
  };
  for (const owner of owners) {
    const { file } = owner;
    const { id, planIds } = idsOf(file);
    claim(names, file.name, 'name', owner, ['name']);
    if (names.get(file.name) !== owner && file.id === undefined) continue; // told: the same name makes the same ids
    claim(ids, id, 'id', owner, [file.id === undefined ? 'name' : 'id']);
    for (const [index, plan] of file.plans.entries())
      claim(ids, planIds[index] ?? '', 'id', owner, ['plans', index, plan.id === undefined ? 'name' : 'id']);
  }
  return found;
}
