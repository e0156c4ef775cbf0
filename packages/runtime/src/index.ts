export { addressBlock } from './address-block.ts';
export {
  type AdminAnswer,
  type AdminOptions,
  type AdminRequest,
  type AdminRoute,
  type AdminServer,
  startAdmin,
} from './admin.ts';
export { AskedLevel, type AskedLevelOptions } from './asked-level.ts';
export { type BackOffOptions, backOff } from './back-off.ts';
export { createBufferCollector } from './buffer-garbage.ts';
export {
  type Certificate,
  type CertificateSettings,
  CertificateWatch,
  certificateOf,
  expiryOf,
  PEM,
  PEM_FILE,
} from './certificate.ts';
export {
  type Declarations,
  type DescribedVariable,
  describeVariables,
  type Environment,
  EnvironmentError,
  processEnvironment,
  readEnvironment,
  type Settings,
  type UnknownVariablesOptions,
  unknownVariables,
} from './env.ts';
export { Health } from './health.ts';
export type { HistogramCell } from './histogram.ts';
export { createLog, type Log, type LogLevel, type LogOptions } from './log.ts';
export {
  type CounterCell,
  DELAY_BUCKETS,
  type DescribedMetric,
  DURATION_BUCKETS,
  type Labelled,
  type LabelledValue,
  type Labels,
  Metrics,
} from './metrics.ts';
export { type Networks, parseNetworks } from './networks.ts';
export { waitAtMost } from './patience.ts';
export { PROCESS_VARIABLES } from './process-variables.ts';
export { type ProcessOptions, runProcess, type Service, type ServiceParts } from './run.ts';
export { Secret } from './secret.ts';
export { type ListenPlace, listenError, StartError } from './start-error.ts';
export { activeRequest, activeSpan, asSpan, bound, detached, type Scope, traced, within } from './tracing/scope.ts';
export { openTracer, TRACING_VARIABLES } from './tracing/settings.ts';
export type { Attributes, RootDetails, Span, SpanDetails, SpanKind, Tracer } from './tracing/span.ts';
export {
  type Bounds,
  bytes,
  count,
  type Kind,
  list,
  networks,
  oneOf,
  onOff,
  port,
  REQUIRED,
  seconds,
  secretText,
  secretUrl,
  splitList,
  text,
  type UrlOptions,
  url,
  type Variable,
  variable,
} from './variables.ts';
