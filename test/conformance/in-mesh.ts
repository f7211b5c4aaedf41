import type { Broker } from './broker.ts';

/** Mesh objects that name this instance or binding anywhere, by its reference or its id; in every life of the id. */
export async function inMesh(broker: Broker, id: string): Promise<readonly string[]> {
  const rows = await broker.rows<{ ref: string }>(
    'select ref from service_binding where binding_id = $1 union select ref from service_instance where instance_id = $1',
    [id],
  );
  if (rows.length === 0) throw new Error(`${id} was never there`);
  return [...broker.app.mesh.objects]
    .filter(([, object]) => {
      const text = JSON.stringify(object);
      return rows.some(({ ref }) => text.includes(ref));
    })
    .map(([key]) => key);
}
