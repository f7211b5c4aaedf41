/** A Kubernetes object as we write it. `kind` and `apiVersion` are from the closed list of src/mesh/object-kinds.ts. */
export interface MeshObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: Readonly<Record<string, unknown>>;
}
export interface ObjectId {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}
export const objectId = (object: MeshObject): ObjectId => ({
  apiVersion: object.apiVersion,
  kind: object.kind,
  namespace: object.metadata.namespace,
  name: object.metadata.name,
});
export const objectKey = (id: ObjectId): string => `${id.apiVersion}/${id.kind}/${id.namespace}/${id.name}`;
