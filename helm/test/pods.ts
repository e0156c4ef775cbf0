/** What the chart makes, as far as tests look into it. */
import type { KubernetesObject } from '../src/schemas.ts';

export interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string | number };
  readonly periodSeconds: number;
  readonly failureThreshold?: number;
}

export interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: object;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly Variable[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly lifecycle?: { readonly preStop?: { readonly exec: { readonly command: readonly string[] } } };
  readonly resources?: {
    readonly requests?: Readonly<Record<string, unknown>>;
    readonly limits?: Readonly<Record<string, unknown>>;
  };
  readonly securityContext?: object;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

export interface Volume {
  readonly secret?: { readonly secretName: string };
  readonly configMap?: { readonly name: string };
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly securityContext?: object;
  readonly terminationGracePeriodSeconds?: number;
  readonly topologySpreadConstraints?: readonly {
    readonly topologyKey: string;
    readonly nodeTaintsPolicy?: string;
    readonly matchLabelKeys?: readonly string[];
  }[];
  readonly affinity?: { readonly podAntiAffinity?: object };
  readonly hostNetwork?: boolean;
  readonly volumes?: readonly Volume[];
}

export type Labels = Readonly<Record<string, string>>;

/** Something that runs pods. */
export interface Workload {
  readonly kind: string;
  readonly name: string;
  readonly labels: Labels;
  readonly spec: PodSpec;
}

type Loose = KubernetesObject & { readonly spec: Record<string, unknown> };

export function workloads(objects: readonly KubernetesObject[]): Workload[] {
  return objects.flatMap((object) => {
    const { kind, metadata, spec } = object as Loose;
    if (kind === 'Pod') {
      return [{ kind, name: metadata.name, labels: metadata.labels ?? {}, spec: spec as unknown as PodSpec }];
    }
    const template = spec?.['template'] as { metadata: { labels: Record<string, string> }; spec: PodSpec } | undefined;
    return template === undefined
      ? []
      : [{ kind, name: metadata.name, labels: template.metadata.labels, spec: template.spec }];
  });
}

export function lasting(objects: readonly KubernetesObject[]): Workload[] {
  return workloads(objects).filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
}

export function containers(objects: readonly KubernetesObject[]): Container[] {
  return workloads(objects).flatMap(({ spec }) => [...spec.containers, ...(spec.initContainers ?? [])]);
}

export function ofKind<Shape>(objects: readonly KubernetesObject[], kind: string): (KubernetesObject & Shape)[] {
  return objects.filter((object) => object.kind === kind) as (KubernetesObject & Shape)[];
}

export function selects(
  selector: { readonly matchLabels?: Readonly<Record<string, string>> } | undefined,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(selector?.matchLabels ?? {}).every(([name, value]) => labels[name] === value);
}
