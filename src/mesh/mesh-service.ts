/** The mesh service behind an offering, as the planners need it. Written by catalog sources, read by planners; plain JSON. */
export type Protocol = 'HTTP' | 'HTTP2' | 'GRPC' | 'TCP' | 'TLS';
export type GrantForm = 'verdict' | 'authorization-policy';

export interface ServicePort {
  readonly name: string;
  readonly number: number;
  readonly protocol: Protocol;
  /** The port on which the workload listens, which policies see. Absent: `number`. */
  readonly targetPort?: number;
}
/** A version of the service: labels that select its workloads. */
export interface Subset {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}
export interface MeshService {
  readonly namespace: string;
  /** Full host names; the first is the primary one (`reviews.bookinfo.svc.cluster.local`). */
  readonly hosts: readonly string[];
  readonly ports: readonly ServicePort[];
  readonly workloadSelector: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly subsets: readonly Subset[];
  readonly grantForm: GrantForm;
  /** Name of the waypoint Gateway in `namespace`; needed by plans that take ambient consumers. */
  readonly waypoint: string | null;
  /**
   * Principals that called before the guard and keep their access: `ns/web/sa/frontend` of the mesh's own trust domain, or with another one
   * before it; without `spiffe://`.
   */
  readonly existingCallers: readonly string[];
}
