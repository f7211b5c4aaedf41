import { reference, sha256Hex } from '../kernel/ids.ts';
import type { Contribution, GuardDefinition } from './contribution.ts';
import type { MeshSettings } from './mesh-settings.ts';
import type { Ownership } from './object-kinds.ts';

const labelsOf = (settings: MeshSettings): Record<string, string> => ({
  'app.kubernetes.io/managed-by': 'meshbroker',
  'meshbroker.dev/broker': settings.broker ?? 'meshbroker',
});
/** Of an object that belongs to one binding. The raw OSB ids may hold any character, so they are annotations only. */
export const ofBinding = (contribution: Contribution, settings: MeshSettings): Ownership => ({
  labels: {
    ...labelsOf(settings),
    'meshbroker.dev/binding': contribution.bindingRef,
    'meshbroker.dev/instance': contribution.instanceRef,
  },
  annotations: { 'meshbroker.dev/binding-id': contribution.bindingId, 'meshbroker.dev/instance-id': contribution.instanceId },
});
/** Of an object that is compiled from several bindings: names them all by reference. */
export const ofBindings = (members: readonly Contribution[], settings: MeshSettings): Ownership => ({
  labels: labelsOf(settings),
  annotations: {
    'meshbroker.dev/bindings': [...new Set(members.map((member) => member.bindingRef))].sort().join(','),
  },
});
export const ofGuard = (guard: GuardDefinition, settings: MeshSettings): Ownership => ({
  labels: labelsOf(settings),
  annotations: { 'meshbroker.dev/offering-id': guard.offeringId, 'meshbroker.dev/offering-name': guard.offeringName },
});
export const ofBroker = (settings: MeshSettings): Ownership => ({ labels: labelsOf(settings), annotations: {} });

/** A name that is never built from user text: `<word>-<20 base32 characters>`. Only bindings and instances start with `mb-`. */
export const derivedName = (word: string, ...parts: readonly string[]): string => word + reference(word, ...parts).slice('mb'.length);
export const guardName = (offeringId: string): string => derivedName('guard', offeringId);
/** Short suffix that tells label sets and policies apart. */
export const fingerprint = (text: string): string => sha256Hex(text).slice(0, 8);
/** What a verdict and a grant's policy are called: the binding and, for the limits, its plan. */
export const grantName = (contribution: Contribution): string => `${contribution.bindingRef}.${contribution.snapshot.traffic.tag}`;
