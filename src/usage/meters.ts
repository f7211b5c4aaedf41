/** Meters that the broker knows, with their ids in usage_meter (migration 0009). Quantities are whole base units; hours are decimal. */
export const meterIds = {
  requests: 1,
  'request-bytes': 2,
  'response-bytes': 3,
  'denied-requests': 4,
  'limited-requests': 5,
  connections: 6,
  'denied-connections': 7,
  'instance-hours': 8,
  'binding-hours': 9,
} as const;

/** Counted by the broker itself, never taken from an event. */
export const isOwnMeter = (meter: string): boolean => meter === 'instance-hours' || meter === 'binding-hours';
export const isMeterName = (text: string): boolean => /^[a-z][a-z0-9-]{0,62}$/.test(text);
