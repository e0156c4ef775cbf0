import { type Certificate, expiryOf, type Log, type Metrics } from '@fosp/runtime';

/** What becomes of the certificate that is shown to servers of other domains. */
export interface CertificateTelemetry {
  renewed(certificate: Certificate): void;
  /** What is in its files cannot be used. */
  refused(error: unknown): void;
}

export function createCertificateTelemetry(
  log: Log,
  metrics: Metrics,
  certificate: Certificate | undefined,
): CertificateTelemetry {
  let expires = certificate && expiryOf(certificate.cert);
  const until = () => new Date((expires ?? Number.NaN) * 1000);
  const help = 'Until when the certificate shown to servers of other domains holds, in seconds since 1970';
  metrics.gauge('fosp_federation_certificate_expiry_timestamp_seconds', help, () => expires);
  return {
    renewed({ cert }) {
      expires = expiryOf(cert);
      log.info({ until: until() }, 'the certificate shown to other domains was renewed');
    },
    refused: (error) =>
      log.error(
        { error, until: until() },
        'the renewed certificate and key for other domains cannot be used; the former go on',
      ),
  };
}
