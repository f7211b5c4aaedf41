/** Everything but the catalog may hold credentials or change at any moment. */
export const noStore = { 'Cache-Control': 'no-store' } as const;
