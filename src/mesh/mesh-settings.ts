/** What the planners must know of the installation. From src/config.ts. */
export interface MeshSettings {
  readonly trustDomain: string;
  readonly bindingTrustDomain: string;
  readonly gateway: GatewaySettings;
  /** Value of the label `meshbroker.dev/broker`: tells the objects of two brokers of one cluster apart. Absent: `meshbroker`. */
  readonly broker?: string;
  /** MeshConfig's extension provider that writes our access-log format (docs/runbook.md). Absent: `meshbroker-access-log`. */
  readonly accessLogProvider?: string;
  /** Istio's root namespace, where we never write. Absent: `istio-system`. */
  readonly rootNamespace?: string;
}
export interface GatewaySettings {
  readonly namespace: string;
  readonly selector: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  /** `{binding}` stands for the binding's reference, `{offering}` for the offering's name: `{binding}.osb.example.com`. */
  readonly hostPattern: string;
  readonly port: number;
  /** Name of the operator's server certificate (a Secret beside the gateway); no private key is ever written by us. */
  readonly credentialName: string;
}
