/** Who may connect to whom, by the policies that are rendered. */
import { describe, expect, it } from 'vitest';
import { helmInstalled, render } from '../src/chart.ts';
import { RENDERINGS } from '../src/renderings.ts';
import { type End, isLet, policiesOf } from './network.ts';
import { containers, type Labels, lasting, workloads } from './pods.ts';

const ANYBODY: End = { address: '203.0.113.9' };
const NEIGHBOUR: End = { stranger: { app: 'other' }, namespace: { 'kubernetes.io/metadata.name': 'other' } };
const PROMETHEUS: End = {
  stranger: {},
  namespace: { name: 'monitoring', 'kubernetes.io/metadata.name': 'monitoring' },
};
const SERVICES = ['gateway', 'objects', 'attachments', 'notifications', 'federation'];

function pod(component: string): { readonly pod: Labels } {
  const selector = { 'app.kubernetes.io/name': 'fosp', 'app.kubernetes.io/instance': 'fosp' };
  return { pod: { ...selector, 'app.kubernetes.io/component': component } };
}

describe.skipIf(!helmInstalled())('network policies', () => {
  const rendered = (name: string) => render(RENDERINGS[name] ?? {});

  it.each([
    'profile dev',
    'profile ha',
    'profile large',
    'bundled NATS of one',
    'cert-manager, and 443',
    'an Ingress alone',
  ])('hold every pod in both directions, and show nobody outside a port but those of gateways: %s', (name) => {
    const objects = rendered(name);
    for (const { name: workload, labels } of workloads(objects)) {
      expect(policiesOf(objects, labels), workload).toEqual([['Ingress', 'Egress']]);
    }
    const open = lasting(objects).flatMap(({ labels, spec }) =>
      spec.containers.flatMap(({ ports = [] }) =>
        ports
          .filter(({ containerPort: port }) =>
            [ANYBODY, NEIGHBOUR].some((from) => isLet(objects, { from, to: { pod: labels }, port })),
          )
          .map((port) => `${labels['app.kubernetes.io/component']} ${port.name}`),
      ),
    );
    expect(['gateway ws', 'gateway wss']).toEqual(expect.arrayContaining(open));
    expect(open).toContain('gateway ws');
    expect(containers(objects).length).toBeGreaterThan(SERVICES.length);
  });

  it('let federation alone reach out, and it to no private address that it was not told', () => {
    const objects = rendered('federation with some');
    const reached = (from: End, address: string) => isLet(objects, { from, to: { address }, port: 1338 });
    for (const service of SERVICES) {
      expect(reached(pod(service), '198.51.100.7'), service).toBe(service === 'federation');
      expect(reached(pod(service), '2606:4700::1'), service).toBe(service === 'federation');
    }
    const inside = ['10.0.0.1', '127.0.0.1', '169.254.169.254', '172.16.0.1', '192.168.1.1', '100.64.0.1', 'fd00::1'];
    expect(inside.filter((address) => reached(pod('federation'), address))).toEqual([]);
    expect(['10.9.8.7', '10.9.7.7'].map((address) => reached(pod('federation'), address))).toEqual([true, false]);
    expect(
      isLet(rendered('no federation'), { from: pod('federation'), to: { address: '198.51.100.7' }, port: 1338 }),
    ).toBe(false);
  });

  it('let services reach what they need, and nothing else of what keeps the data', () => {
    const objects = rendered('profile dev');
    const ports = { nats: 4222, postgres: 5432, redis: 6379, s3: 7070 };
    const reach = (service: string) =>
      Object.entries(ports)
        .filter(([store, port]) => isLet(objects, { from: pod(service), to: pod(store), port }))
        .map(([store]) => store);
    expect(Object.fromEntries([...SERVICES, 'migration', 'test'].map((name) => [name, reach(name)]))).toEqual({
      gateway: ['nats', 's3'],
      objects: ['nats', 'postgres', 'redis'],
      attachments: ['nats', 's3'],
      notifications: ['nats'],
      federation: ['nats', 's3'],
      migration: ['postgres'],
      test: [],
    });
    expect(isLet(objects, { from: pod('test'), to: pod('gateway'), port: 1337 })).toBe(true);
    for (const owner of ['attachments', 'federation']) {
      expect(isLet(objects, { from: pod('gateway'), to: pod(owner), port: 9091 })).toBe(true);
      expect(isLet(objects, { from: pod('notifications'), to: pod(owner), port: 9091 })).toBe(false);
    }
  });

  it('let databases be reached where they were said to be', () => {
    const objects = rendered('CloudNativePG, a Redis operator, Rook');
    const database = { ...pod('none').pod, 'cnpg.io/cluster': 'fosp-db' };
    const reaches = (to: End) => isLet(objects, { from: pod('objects'), to, port: 5432 });
    expect([reaches({ pod: database }), reaches(pod('none')), reaches(ANYBODY)]).toEqual([true, false, false]);
  });

  it('let services reach the collector of traces where there is one', () => {
    const collector: End = { stranger: {}, namespace: { name: 'observability' } };
    const reached = (name: string) =>
      SERVICES.filter((service) => isLet(rendered(name), { from: pod(service), to: collector, port: 4318 }));
    expect(reached('traced')).toEqual(SERVICES);
    expect(reached('profile ha')).toEqual([]);
    expect(isLet(rendered('traced'), { from: pod('gateway'), to: NEIGHBOUR, port: 4318 })).toBe(false);
  });

  it('show the admin port to Prometheus, and to nobody else', () => {
    const objects = rendered('watched');
    for (const service of SERVICES) {
      const seen = [PROMETHEUS, NEIGHBOUR, ANYBODY, pod('gateway'), pod('test')].map((from) =>
        isLet(objects, { from, to: pod(service), port: 9090 }),
      );
      expect(seen, service).toEqual([true, false, false, false, false]);
    }
  });
});
