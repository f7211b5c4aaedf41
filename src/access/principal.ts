/** Who calls, after authentication. */
export type Principal =
  | { readonly kind: 'platform'; readonly platformId: string; readonly name: string; readonly mayBindFor: readonly string[] }
  | { readonly kind: 'admin'; readonly name: string }
  | { readonly kind: 'collector'; readonly name: string };

export type PlatformPrincipal = Extract<Principal, { kind: 'platform' }>;

/** Whether a platform may bind for a consumer namespace (`*`: for all). */
export const mayBindFor = (platform: PlatformPrincipal, namespace: string): boolean =>
  platform.mayBindFor.includes('*') || platform.mayBindFor.includes(namespace);
