/** The workload that a binding lets in. */
export type ConsumerKind = 'sidecar' | 'ambient' | 'vm' | 'off-mesh';
export const consumerKinds: readonly ConsumerKind[] = ['sidecar', 'ambient', 'vm', 'off-mesh'];

export interface Consumer {
  readonly kind: ConsumerKind;
  /** Kubernetes namespace; off-mesh: the consumer scope, made by us from platform and organisation. */
  readonly namespace: string;
  /** Off-mesh: the binding's reference. */
  readonly serviceAccount: string;
  /** Labels of the consumer's workload; empty: every workload of the namespace. */
  readonly workloadLabels: Readonly<Record<string, string>>;
}
