/** An authority of a test's own, whose certificates are believed by who is told to (made by the `openssl` program). */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installed } from './installed.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const run = promisify(execFile);

/** PEM texts, and the files that hold them. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface TestAuthority extends AsyncDisposable {
  /** Its own certificate, for `FOSP_FEDERATION_CA` or `NODE_EXTRA_CA_CERTS`. */
  readonly cert: string;
  readonly certFile: string;
  /** A certificate for servers and clients of these names or addresses. */
  issue(...names: string[]): Promise<TestCertificate>;
  /** One that holds for so many days, from now on. */
  issueFor(days: number, ...names: string[]): Promise<TestCertificate>;
}

export function authorityInstalled(): boolean {
  return installed('openssl', 'version');
}

const EC_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
/** That a certificate holds where nobody says for how long. */
const DAYS = 30;

export async function startTestAuthority(): Promise<TestAuthority> {
  const directory = await temporaryDirectory();
  const file = (name: string) => join(directory.path, name);
  let issued = 0;
  const make = async (stem: string, settings: readonly string[], days = DAYS): Promise<TestCertificate> => {
    const [certFile, keyFile] = [file(`${stem}.crt`), file(`${stem}.key`)];
    await run('openssl', [
      'req',
      '-x509',
      ...EC_KEY,
      '-days',
      String(days),
      '-out',
      certFile,
      '-keyout',
      keyFile,
      ...settings,
    ]);
    return { certFile, keyFile, cert: await readFile(certFile, 'utf8'), key: await readFile(keyFile, 'utf8') };
  };
  const own = await make('authority', ['-subj', '/CN=Authority of a test']);
  const issueFor = (days: number, ...names: string[]) => {
    const alternatives = names.map((name) => `${isIP(name) === 0 ? 'DNS' : 'IP'}:${name}`).join(',');
    const settings = [
      ...['-subj', '/CN=Server of a test', '-CA', own.certFile, '-CAkey', own.keyFile],
      ...['-addext', `subjectAltName=${alternatives}`, '-addext', 'basicConstraints=critical,CA:FALSE'],
      ...['-addext', 'extendedKeyUsage=serverAuth,clientAuth'],
    ];
    return make(`issued-${++issued}`, settings, days);
  };
  return {
    cert: own.cert,
    certFile: own.certFile,
    issue: (...names) => issueFor(DAYS, ...names),
    issueFor,
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}
