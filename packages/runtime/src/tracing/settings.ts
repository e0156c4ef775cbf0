/** What switches traces on: OpenTelemetry's own variables, with their own names and defaults. */
import { hostname } from 'node:os';
import type { Settings } from '../env.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { Secret } from '../secret.ts';
import { count, type Kind, oneOf, seconds, secretText, secretUrl, text, variable } from '../variables.ts';
import type { Tracer } from './span.ts';

export const SAMPLERS = [
  'parentbased_always_on',
  'parentbased_traceidratio',
  'parentbased_always_off',
  'always_on',
  'traceidratio',
  'always_off',
] as const;

const HTTP = { protocols: ['http', 'https'] } as const;

const SHARE: Kind<number> = {
  allowed: 'a number from 0 to 1',
  parse: (given) => {
    const share = Number(given);
    if (!(share >= 0 && share <= 1)) {
      throw new RangeError(`"${given}" is not a number from 0 to 1`);
    }
    return share;
  },
};

/** `name=value,name=value`, percent-encoded. */
const PAIRS: Kind<Readonly<Record<string, string>>> = {
  allowed: 'name=value, comma-separated, percent-encoded',
  parse: (given) => Object.fromEntries(given.split(',').flatMap(pairIn)),
};

function pairIn(entry: string): [string, string][] {
  if (entry.trim() === '') {
    return [];
  }
  const [name = '', ...rest] = entry.split('=');
  if (name.trim() === '' || rest.length === 0) {
    throw new RangeError('an entry is not name=value');
  }
  return [[name.trim(), decodeURIComponent(rest.join('=').trim())]];
}

export const TRACING_VARIABLES = {
  disabled: oneOf('OTEL_SDK_DISABLED', 'false', 'switches traces off, whatever else is set', {
    choices: ['true', 'false'],
  }),
  endpoint: secretUrl(
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    undefined,
    'collector that traces are sent to, by OTLP over HTTP (JSON), at `v1/traces` below it; no traces without it',
    HTTP,
  ),
  tracesEndpoint: secretUrl(
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    undefined,
    'the same as a whole URL; counts before the other one',
    HTTP,
  ),
  headers: secretText('OTEL_EXPORTER_OTLP_HEADERS', '', 'headers for the collector, `name=value,…`, percent-encoded'),
  sampler: oneOf('OTEL_TRACES_SAMPLER', 'parentbased_always_on', 'which requests are traced', { choices: SAMPLERS }),
  samplerShare: variable('OTEL_TRACES_SAMPLER_ARG', 1, 'the part of requests that samplers by ratio take', SHARE),
  serviceName: text('OTEL_SERVICE_NAME', '', 'name of this service in traces; `fosp-gateway` and so on by default'),
  attributes: variable('OTEL_RESOURCE_ATTRIBUTES', '', 'what else traces say of this process', PAIRS),
  queue: count('OTEL_BSP_MAX_QUEUE_SIZE', 2048, 'spans that wait to be sent; more are dropped and counted', { min: 1 }),
  batch: count('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512, 'spans that are sent at once', { min: 1 }),
  delay: count('OTEL_BSP_SCHEDULE_DELAY', 5000, 'milliseconds that a span waits for others to be sent with', {
    min: 1,
  }),
  flushSeconds: seconds('FOSP_TRACES_FLUSH_SECONDS', 3, 'how long a stopping process may send what spans wait', {
    min: 1,
  }),
} as const;

export interface TracerParts {
  /** Of the process: `gateway`. */
  readonly name: string;
  readonly log: Log;
  readonly metrics: Metrics;
  /** From 0 up to 1; `Math.random`. */
  readonly random?: () => number;
}

/** What is sent how, and where to. */
export interface TracerSettings {
  readonly url: Secret<string>;
  readonly headers: Readonly<Record<string, string>>;
  readonly sampler: (typeof SAMPLERS)[number];
  readonly share: number;
  readonly resource: Readonly<Record<string, string>>;
  readonly queue: number;
  readonly batch: number;
  readonly delay: number;
  readonly flushMilliseconds: number;
}

/** `undefined` where traces are off: then nothing of their libraries is loaded. */
export async function openTracer(
  settings: Settings<typeof TRACING_VARIABLES>,
  parts: TracerParts,
): Promise<Tracer | undefined> {
  const { tracesEndpoint, endpoint, disabled, headers, sampler, samplerShare, flushSeconds, ...rest } = settings;
  const url = tracesEndpoint ?? endpoint?.map((base) => `${base.replace(/\/+$/, '')}/v1/traces`);
  if (url === undefined || disabled === 'true') {
    return undefined;
  }
  const { createOtlpTracer } = await import('./otlp.ts');
  return createOtlpTracer(
    {
      ...{ url, sampler, share: samplerShare, flushMilliseconds: flushSeconds * 1000 },
      headers: PAIRS.parse(headers.reveal()),
      resource: {
        'service.name': settings.serviceName || `fosp-${parts.name}`,
        'service.instance.id': `${hostname()}/${process.pid}`,
        'host.name': hostname(),
        ...settings.attributes,
      },
      ...{ queue: rest.queue, batch: Math.min(rest.batch, rest.queue), delay: rest.delay },
    },
    parts,
  );
}
