import { expect, test } from 'vitest';
import { aContribution, manyPorts, meshSettings } from '../../test/support/mesh-contributions.ts';
import { gatewayHosts, gatewayHostTest } from './hosts.ts';

test.each(['{binding}.osb.example.com', '{offering}.{binding}.example.com', 'osb-{binding}.example.com'])(
  'a host that the gateway gives to a binding by %s is told from every other one',
  (hostPattern) => {
    const gateway = { ...meshSettings.gateway, hostPattern };
    const isOfBinding = gatewayHostTest(gateway);
    const hosts = gatewayHosts(aContribution({ kind: 'off-mesh', service: manyPorts }), { ...meshSettings, gateway }).map(
      ({ host }) => host,
    );
    expect(hosts.length).toBeGreaterThan(1);
    for (const host of hosts) {
      expect(isOfBinding(host), host).toBe(true);
      expect(isOfBinding(`${host}-shadow`), 'a mirrored copy').toBe(true);
      for (const other of [`a.${host}`, `${host}.org`, `_${host}`, host.replaceAll('.', '-')])
        expect(isOfBinding(other), other).toBe(false);
    }
    for (const other of ['', 'books.example.com', 'orders.shop.svc.cluster.local', hostPattern])
      expect(isOfBinding(other), other).toBe(false);
  },
);
