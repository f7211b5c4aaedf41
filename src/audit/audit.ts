import type { JsonObject } from '../kernel/json.ts';

/** Who did what with what outcome. Written in the same transaction as the change; denials in one of their own. Never a secret. */
export interface AuditEntry {
  /** `platform:cf-eu`, `admin:token-name`, `broker` for the broker's own work. */
  readonly actor: string;
  /** The platform's user from X-Broker-API-Originating-Identity, decoded (OID-02). */
  readonly originatingIdentity: JsonObject | null;
  readonly requestId: string | null;
  /** `instance.provision`, `binding.bind`, `platform.rotate`, `request.denied` … */
  readonly action: string;
  /** `mb-…` of an instance or binding, `platform/cf-eu`, an offering's id. */
  readonly resource: string | null;
  readonly outcome: 'accepted' | 'succeeded' | 'failed' | 'denied';
  readonly detail: JsonObject;
}
export interface AuditLog {
  append(entry: AuditEntry): Promise<void>;
}
