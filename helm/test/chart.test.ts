/** The chart rendered with every profile, example and switch: what Kubernetes would be given, and what is refused. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describeVariables, PROCESS_VARIABLES, readEnvironment } from '@fosp/runtime';
import { STANDALONE_VARIABLES } from '@fosp/standalone';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { helmInstalled, lint, render, template } from '../src/chart.ts';
import { CONTRADICTIONS, contradiction, REFUSED, RENDERINGS } from '../src/renderings.ts';
import { type KubernetesObject, mistakesIn } from '../src/schemas.ts';
import {
  type Container,
  containers,
  lasting,
  ofKind,
  type PodSpec,
  selects,
  type Workload,
  workloads,
} from './pods.ts';

const GUARDED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};
const SERVICES = ['gateway', 'objects', 'attachments', 'notifications', 'federation'] as const;
const ADMIN_PORT = 9090;

interface Budget {
  readonly spec: { readonly selector: { readonly matchLabels: Record<string, string> } };
}

interface Deployment {
  readonly spec: {
    readonly strategy: object;
    readonly minReadySeconds: number;
    readonly progressDeadlineSeconds?: number;
    readonly template: { readonly spec: PodSpec };
  };
}

interface ServiceObject {
  readonly spec: {
    readonly type?: string;
    readonly selector: Record<string, string>;
    readonly ports: readonly { readonly targetPort: string | number }[];
  };
}

describe.skipIf(!helmInstalled()).each(Object.entries(RENDERINGS))('%s', (name, rendering) => {
  let objects: KubernetesObject[];
  beforeAll(() => {
    objects = render(rendering);
  });
  const perService = (look: (workload: Workload, container: Container) => unknown) =>
    lasting(objects).flatMap((workload) => {
      const [container] = workload.spec.containers;
      return SERVICES.some((service) => workload.name === `fosp-${service}`) && container !== undefined
        ? [look(workload, container)]
        : [];
    });

  it('is what the API server takes, without a field that it does not know', () => {
    expect(objects.flatMap(mistakesIn)).toEqual([]);
    expect(new Set(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).size).toBe(objects.length);
  });

  it('has limits, and no right that is not needed, in every container', () => {
    for (const container of containers(objects)) {
      expect(container.securityContext, container.name).toEqual(GUARDED);
      expect(Object.keys(container.resources?.requests ?? {}).sort(), container.name).toEqual(['cpu', 'memory']);
      expect(container.resources?.limits, container.name).toHaveProperty('memory');
    }
    for (const { name: workload, spec } of workloads(objects)) {
      expect(spec, workload).toMatchObject({
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      });
      expect(spec.hostNetwork, workload).toBeUndefined();
      expect(JSON.stringify(spec.volumes ?? []), workload).not.toContain('hostPath');
    }
  });

  it('asks whatever lasts whether it began, lives, and may work, and keeps its pods apart', () => {
    for (const { kind, name: workload, spec } of lasting(objects)) {
      for (const container of spec.containers) {
        expect(container, workload).toMatchObject({ startupProbe: {}, livenessProbe: {}, readinessProbe: {} });
        const { periodSeconds = 0, failureThreshold = 0 } = container.startupProbe ?? {};
        // Whoever has data on disk reads it before it answers, and would begin anew each time that it is killed.
        expect(periodSeconds * failureThreshold, workload).toBeGreaterThanOrEqual(kind === 'StatefulSet' ? 1800 : 120);
      }
      const keys = spec.topologySpreadConstraints?.map(({ topologyKey }) => topologyKey);
      expect(keys, workload).toEqual(['kubernetes.io/hostname', 'topology.kubernetes.io/zone']);
      // Else nodes that take no pods count as empty ones, those of the former version count too, and a rollout waits for ever.
      for (const { nodeTaintsPolicy, matchLabelKeys } of spec.topologySpreadConstraints ?? []) {
        expect(nodeTaintsPolicy, workload).toBe('Honor');
        expect(matchLabelKeys, workload).toEqual(kind === 'Deployment' ? ['pod-template-hash'] : undefined);
      }
      expect(spec.affinity?.podAntiAffinity, workload).toBeDefined();
    }
    const paths = perService((_, { startupProbe, livenessProbe, readinessProbe }) =>
      [startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.httpGet?.path),
    );
    expect(paths).toEqual(SERVICES.map(() => ['/startupz', '/livez', '/readyz']));
  });

  it('bounds how many of whatever lasts may be away, and lets each end in its time', () => {
    const budgets = ofKind<Budget>(objects, 'PodDisruptionBudget');
    for (const { name: workload, labels } of lasting(objects)) {
      expect(
        budgets.filter(({ spec }) => selects(spec.selector, labels)),
        workload,
      ).toHaveLength(1);
    }
    perService(({ spec, name: workload }, { env = [], lifecycle }) => {
      const drain = Number(env.find((variable) => variable.name === 'FOSP_DRAIN_SECONDS')?.value);
      const before = Number(lifecycle?.preStop?.exec.command[1] ?? 0);
      expect(spec.terminationGracePeriodSeconds, workload).toBeGreaterThan(drain + before);
    });
  });

  it('takes no process of a service away before another one is ready', () => {
    const deployments = ofKind<Deployment>(objects, 'Deployment').filter(({ metadata }) =>
      SERVICES.some((service) => metadata.name === `fosp-${service}`),
    );
    expect(deployments.length).toBeGreaterThan(0);
    for (const { metadata, spec } of deployments) {
      const rollingUpdate = { maxSurge: 1, maxUnavailable: 0 };
      expect(spec.strategy, metadata.name).toEqual({ type: 'RollingUpdate', rollingUpdate });
      expect(spec.minReadySeconds, metadata.name).toBeGreaterThan(0);
      expect(spec.progressDeadlineSeconds ?? 600, metadata.name).toBeGreaterThan(spec.minReadySeconds);
      if (metadata.name === 'fosp-gateway' && name !== 'gateways that go one soon after the other') {
        // Nothing waits for a pod that ends: the next one goes only when the one before has drained.
        const { containers: [gateway] = [] } = spec.template.spec;
        const drain = Number(gateway?.env?.find((each) => each.name === 'FOSP_DRAIN_SECONDS')?.value);
        const before = Number(gateway?.lifecycle?.preStop?.exec.command[1] ?? 0);
        expect(spec.minReadySeconds).toBe(drain + before);
      }
    }
  });

  it('sets what the services read, and nothing that they do not know or would refuse', () => {
    const checked = perService(({ name: workload }, { args, env = [] }) => {
      const [program = ''] = args ?? [];
      const service = SERVICES.find((each) => each === program);
      const own = service === undefined ? {} : STANDALONE_VARIABLES[service];
      const variables = { process: PROCESS_VARIABLES, bus: STANDALONE_VARIABLES.bus, own };
      const known = describeVariables(variables).map((variable) => variable.name);
      const ours = env.filter((variable) => /^(FOSP|OTEL)_/.test(variable.name));
      expect(known, workload).toEqual(expect.arrayContaining(ours.map((variable) => variable.name)));
      // What is in secrets, and in files, is not here.
      const texts = ours.flatMap(({ name: variable, value = '/' }) =>
        value.startsWith('/') ? [] : [[variable, value]],
      );
      expect(() => readEnvironment(Object.fromEntries(texts), variables), workload).not.toThrow();
      return program;
    });
    expect(checked.sort()).toEqual([...SERVICES].sort());
  });

  it('shows no port to the outside but those of the gateways', () => {
    for (const { metadata, spec } of ofKind<ServiceObject>(objects, 'Service')) {
      if (spec.type === 'LoadBalancer' || spec.type === 'NodePort') {
        expect(spec.selector['app.kubernetes.io/component'], metadata.name).toBe('gateway');
        expect(spec.ports.map(({ targetPort }) => targetPort).sort()).not.toContain('admin');
        expect(spec.ports.every(({ targetPort }) => targetPort === 'ws' || targetPort === 'wss')).toBe(true);
      } else if (metadata.name === 'fosp-metrics') {
        expect(spec).toMatchObject({ clusterIP: 'None' });
      } else {
        expect(spec.ports.map(({ targetPort }) => targetPort)).not.toContain('admin');
      }
    }
    const admins = perService((_, { ports = [] }) => ports.find((port) => port.name === 'admin')?.containerPort);
    expect(admins).toEqual(SERVICES.map(() => ADMIN_PORT));
  });

  it('has no text that Kubernetes would change before a container sees it', () => {
    const texts = containers(objects).flatMap(({ command = [], args = [] }) => [...command, ...args]);
    expect(texts.filter((text) => text.includes('$$'))).toEqual([]);
  });

  it('has no secret', () => {
    expect(objects.filter(({ kind }) => kind === 'Secret')).toEqual([]);
    const known = name === 'profile dev' ? 'for-this-namespace-alone' : undefined;
    for (const { name: container, env = [] } of containers(objects)) {
      const told = env.filter(({ name: variable }) => /PASSWORD|SECRET|TOKEN$/.test(variable));
      expect(
        told.filter(({ value }) => value !== undefined && value !== known),
        container,
      ).toEqual([]);
    }
  });
});

describe.skipIf(!helmInstalled()).each(['dev', 'ha', 'large'])('profile %s', (name) => {
  const rendering = RENDERINGS[`profile ${name}`] ?? {};

  it('is the same whenever it is rendered', () => {
    expect(render(rendering)).toEqual(render(rendering));
  });

  it('passes the checks of helm', () => {
    const { status, output, complaints } = lint(rendering);
    expect(status, output + complaints).toBe(0);
  });
});

describe.skipIf(!helmInstalled())('the certificate that other domains are shown', () => {
  it.each([
    ["the gateways' certificate shown to other domains", ['certificate']],
    ['another certificate shown to other domains', ['policy', 'shown']],
    ['a certificate of others', []],
  ])('comes from the secret that was said: %s', (name, sources) => {
    const workload = workloads(render(RENDERINGS[name] ?? {})).find((each) => each.name === 'fosp-federation');
    const { volumes = [], containers: [container] = [] } = workload?.spec ?? {};
    expect(volumes.map(({ secret, configMap }) => secret?.secretName ?? configMap?.name).sort()).toEqual(sources);
    const files = ['FOSP_FEDERATION_CERT', 'FOSP_FEDERATION_KEY'].map(
      (variable) => container?.env?.find((each) => each.name === variable)?.value,
    );
    const mount = container?.volumeMounts?.find((each) => each.name === 'certificate')?.mountPath;
    expect(files).toEqual(mount === undefined ? [undefined, undefined] : [`${mount}/tls.crt`, `${mount}/tls.key`]);
    expect(mount === undefined).toBe(sources.length === 0);
  });
});

interface ScaledObject {
  readonly spec: {
    readonly triggers: readonly { readonly type: string; readonly metadata: { readonly query: string } }[];
  };
}

it.skipIf(!helmInstalled()).each(['scaled by KEDA', 'profile large'])(
  'it counts the load of its own namespace, by metrics of ours: %s',
  (name) => {
    const metrics = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
    const queries = ofKind<ScaledObject>(render(RENDERINGS[name] ?? {}), 'ScaledObject').flatMap(({ spec }) =>
      spec.triggers.filter(({ type }) => type === 'prometheus').map(({ metadata }) => metadata.query),
    );
    expect(queries).toHaveLength(2);
    for (const query of queries) {
      const [, metric] = /^sum\((\w+)\{namespace="fosp"\}\)$/.exec(query) ?? [];
      expect(metric, query).toBeDefined();
      expect(metrics).toContain(`| \`${metric}\` |`);
    }
  },
);

interface Rules {
  readonly spec: { readonly groups: readonly { readonly rules: readonly { readonly annotations?: object }[] }[] };
}

describe.skipIf(!helmInstalled())('the alerts', () => {
  const file = fileURLToPath(new URL('../../deploy/monitoring/alerts.yaml', import.meta.url));
  const text = readFileSync(file, 'utf8');

  it('are those of deploy/monitoring, as they are, but for where their pages are read', () => {
    const [rules] = ofKind<Rules>(render(RENDERINGS['watched'] ?? {}), 'PrometheusRule');
    expect(rules?.spec).toEqual(parse(text.replaceAll('docs/runbooks/', 'https://wiki.example.org/fosp/')));
    expect(JSON.stringify(rules?.spec)).toContain('"runbook_url":"https://wiki.example.org/fosp/requests-fail.md"');
  });
});

describe.skipIf(!helmInstalled())('values', () => {
  it.each(CONTRADICTIONS)('that contradict each other are refused with a sentence: %s', (_, set, sentence) => {
    const { status, complaints } = template(contradiction(set));
    expect(complaints).toContain(sentence);
    expect(status).not.toBe(0);
  });

  it.each(REFUSED)('that are not known or not possible are refused: %s', (set, name) => {
    const { status, complaints } = template(contradiction([set]));
    expect(complaints).toContain("values don't meet the specifications of the schema");
    expect(complaints).toContain(name);
    expect(status).not.toBe(0);
  });
});

describe.skipIf(!helmInstalled())('a further variable', () => {
  const secrets = Object.entries({ process: PROCESS_VARIABLES, ...STANDALONE_VARIABLES })
    .flatMap(([group, declared]) => describeVariables({ [group]: declared }))
    .filter(({ name, secret }) => secret && name.startsWith('FOSP_'));

  it.each(secrets.map(({ name }) => name))('that is a secret is refused: %s', (name) => {
    // Of a service that the chart gives none of them but NATS' address.
    const { status, complaints } = template(contradiction([`services.notifications.env.${name}=hidden`]));
    const sentence =
      name === 'FOSP_NATS_URL' ? 'the chart sets this variable itself' : 'it is a secret, which is for no';
    expect(complaints).toContain(`services.notifications.env.${name}: ${sentence}`);
    expect(complaints).not.toContain('hidden');
    expect(status).not.toBe(0);
  });

  it('may name the file of a secret', () => {
    expect(template(contradiction(['services.gateway.env.FOSP_ADMIN_TOKEN_FILE=/token'])).status).toBe(0);
  });
});

it('the table of values says what the schema says', () => {
  const script = fileURLToPath(new URL('../../scripts/values.ts', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
