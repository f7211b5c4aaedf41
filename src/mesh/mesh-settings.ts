/** What the planners must know of the installation. From src/config.ts. */
export interface MeshSettings {
  readonly trustDomain: string;
  readonly bindingTrustDomain: string;
  readonly gateway: GatewaySettings;
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
