/**
 * What secures the links that we dial: whose certificates are believed, and which of our own is shown, which is another once its
 * files are (`CertificateWatch`). Present links stay as they are.
 */
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { type CertificateSettings, CertificateWatch } from '@fosp/runtime';
import type { CertificateTelemetry } from './certificate-telemetry.ts';

export interface ContextParts {
  /** PEM texts, beside those that Node knows. */
  readonly authorities: readonly string[] | undefined;
  readonly shown?: { readonly cert: string; readonly key: string } | undefined;
}

export interface DialContextOptions {
  readonly authorities: readonly string[] | undefined;
  readonly certificate: CertificateSettings | undefined;
  /** Between two looks for a renewed certificate. */
  readonly certificateSeconds: number;
  readonly telemetry: CertificateTelemetry;
}

export class DialContext {
  readonly #options: DialContextOptions;
  #current: SecureContext | undefined;
  #watch: CertificateWatch | undefined;

  constructor(options: DialContextOptions) {
    this.#options = options;
    this.#current = secureContextOf({ authorities: options.authorities, shown: options.certificate });
  }

  /** Where nothing is configured it is Node's own, of which Node would otherwise make another one for each attempt. */
  get current(): SecureContext {
    this.#current ??= createSecureContext();
    return this.#current;
  }

  start(): void {
    const { authorities, certificate: settings, certificateSeconds, telemetry } = this.#options;
    this.#watch =
      settings &&
      new CertificateWatch({
        settings,
        interval: certificateSeconds * 1000,
        renewed: (shown) => {
          this.#current = secureContextOf({ authorities, shown });
          telemetry.renewed(shown);
        },
        failed: telemetry.refused,
      });
  }

  close(): void {
    this.#watch?.close();
  }
}

/** `undefined` where what Node does by itself is enough. */
export function secureContextOf({ authorities, shown }: ContextParts): SecureContext | undefined {
  if (authorities === undefined && shown === undefined) {
    return undefined;
  }
  const ca = authorities === undefined ? {} : { ca: [...getCACertificates('default'), ...authorities] };
  const pair = shown === undefined ? {} : { cert: shown.cert, key: shown.key };
  return createSecureContext({ ...ca, ...pair });
}
