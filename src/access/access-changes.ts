/** Tells whoever keeps copies of credentials (the door's cache) that something changed: here, or on another replica by NOTIFY access_changed. */
export interface AccessChanges {
  changed(): void;
  /** Returns how to stop listening. */
  onChange(listener: () => void): () => void;
}
export function accessChanges(): AccessChanges {
  const listeners = new Set<() => void>();
  return {
    changed: () => listeners.forEach((listener) => listener()),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
