/** What a NetworkPolicy lets through, as Kubernetes reads it: whoever is selected by one may do what one of them allows. */
import { BlockList } from 'node:net';
import type { KubernetesObject } from '../src/schemas.ts';
import type { Labels } from './pods.ts';
import { ofKind } from './pods.ts';

interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values: string[] }[];
}

interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

interface Rule {
  readonly ports?: readonly { readonly port?: number; readonly protocol?: string }[];
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
}

interface Policy {
  readonly spec: {
    readonly podSelector: Selector;
    readonly policyTypes: readonly string[];
    readonly ingress: readonly Rule[];
    readonly egress: readonly Rule[];
  };
}

/** A pod of the release, by its labels; somebody in another namespace, by its; or an address. */
export type End =
  | { readonly pod: Labels }
  | { readonly stranger: Labels; readonly namespace: Labels }
  | { readonly address: string };

export interface Connection {
  readonly from: End;
  readonly to: End;
  readonly port: number;
}

/** Whether TCP gets through: who sends must be let, and who takes. */
export function isLet(objects: readonly KubernetesObject[], { from, to, port }: Connection): boolean {
  const policies = ofKind<Policy>(objects, 'NetworkPolicy');
  return (
    one(policies, { of: from, with: to, port, way: 'egress' }) &&
    one(policies, { of: to, with: from, port, way: 'ingress' })
  );
}

/** The policies of a pod; the two ways of all of them. */
export function policiesOf(objects: readonly KubernetesObject[], labels: Labels): (readonly string[])[] {
  const policies = ofKind<Policy>(objects, 'NetworkPolicy').filter(({ spec }) => matches(spec.podSelector, labels));
  return policies.map(({ spec }) => spec.policyTypes);
}

interface Side {
  readonly of: End;
  readonly with: End;
  readonly port: number;
  readonly way: 'ingress' | 'egress';
}

function one(policies: readonly Policy[], side: Side): boolean {
  if (!('pod' in side.of)) {
    return true;
  }
  const labels = side.of.pod;
  const own = policies.filter(({ spec }) => matches(spec.podSelector, labels));
  return own.length === 0 || own.some(({ spec }) => spec[side.way].some((rule) => allows(rule, side)));
}

function allows({ ports, from, to }: Rule, side: Side): boolean {
  const ofTcp = ports?.filter(({ protocol = 'TCP' }) => protocol === 'TCP');
  const peers = side.way === 'ingress' ? from : to;
  return (
    (ofTcp?.some(({ port }) => port === undefined || port === side.port) ?? true) &&
    (peers?.some((peer) => includes(peer, side.with)) ?? true)
  );
}

function includes({ podSelector, namespaceSelector, ipBlock }: Peer, end: End): boolean {
  if ('address' in end) {
    return ipBlock !== undefined && inBlock(ipBlock, end.address);
  }
  if (ipBlock !== undefined) {
    return false;
  }
  return 'pod' in end
    ? namespaceSelector === undefined && matches(podSelector, end.pod)
    : namespaceSelector !== undefined &&
        matches(namespaceSelector, end.namespace) &&
        matches(podSelector, end.stranger);
}

function matches({ matchLabels = {}, matchExpressions = [] }: Selector = {}, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([name, value]) => labels[name] === value) &&
    matchExpressions.every(({ key, operator, values }) => operator === 'In' && values.includes(labels[key] ?? ''))
  );
}

function inBlock(
  { cidr, except = [] }: { readonly cidr: string; readonly except?: readonly string[] },
  address: string,
) {
  return isIn(cidr, address) && !except.some((each) => isIn(each, address));
}

function isIn(network: string, address: string): boolean {
  const [start = '', bits = ''] = network.split('/');
  const family = (text: string) => (text.includes(':') ? 'ipv6' : 'ipv4');
  const block = new BlockList();
  block.addSubnet(start, Number(bits), family(start));
  return family(start) === family(address) && block.check(address, family(address));
}
