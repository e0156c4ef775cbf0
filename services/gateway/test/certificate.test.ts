/** A certificate that is renewed while the gateway runs, as cert-manager and certbot do it. */
import { copyFile, mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import {
  authorityInstalled,
  startTestAuthority,
  type TestAuthority,
  type TestCertificate,
  temporaryDirectory,
} from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startGateway } from './harness.ts';

async function folder(): Promise<string> {
  const directory = await temporaryDirectory();
  onTestFinished(() => directory[Symbol.asyncDispose]());
  return directory.path;
}

/** The files of a secret as the kubelet lays them out: links to a folder that is replaced as a whole. */
async function mount(path: string, { certFile, keyFile }: TestCertificate, version: string): Promise<void> {
  await mkdir(join(path, version));
  await copyFile(certFile, join(path, version, 'tls.crt'));
  await copyFile(keyFile, join(path, version, 'tls.key'));
  await symlink(version, join(path, 'new-data'));
  await rename(join(path, 'new-data'), join(path, 'data'));
}

describe.skipIf(!authorityInstalled())('the certificate of the wss port', () => {
  let authority: TestAuthority;
  beforeAll(async () => {
    authority = await startTestAuthority();
  });
  afterAll(() => authority[Symbol.asyncDispose]());

  const handshake = async (url: string): Promise<TLSSocket> => {
    const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
    const options = { host: '127.0.0.1', port: Number(new URL(url).port), servername: 'localhost', ca: authority.cert };
    const socket: TLSSocket = connect(options, () => resolve(socket)).on('error', reject);
    onTestFinished(() => void socket.destroy());
    return promise;
  };
  const serialShownAt = async (url: string) => (await handshake(url)).getPeerX509Certificate()?.serialNumber;

  const gatewayWith = async (files: string, lines: string[] = []) =>
    startGateway({
      environment: { FOSP_TLS_CERT: join(files, 'tls.crt'), FOSP_TLS_KEY: join(files, 'tls.key') },
      limits: { certificateSeconds: 0.02 },
      lines,
    });

  it('F4 is another once its files are, without a restart, and present connections stay', async () => {
    const path = await folder();
    await mount(path, await authority.issue('localhost'), 'first');
    await symlink('data/tls.crt', join(path, 'tls.crt'));
    await symlink('data/tls.key', join(path, 'tls.key'));
    const gateway = await gatewayWith(path);
    const present = await handshake(gateway.secureUrl);
    const first = present.getPeerX509Certificate()?.serialNumber;

    const renewed = await authority.issue('localhost');
    await mount(path, renewed, 'second');
    await expect.poll(() => serialShownAt(gateway.secureUrl)).not.toBe(first);
    const shown = (await handshake(gateway.secureUrl)).getPeerX509Certificate();
    expect(shown?.toString()).toBe(renewed.cert);
    expect(await gateway.metric('fosp_gateway_certificate_expiry_timestamp_seconds')).toBe(
      (shown?.validToDate.getTime() ?? 0) / 1000,
    );
    expect(present.destroyed).toBe(false);
  });

  it('F4 stays while what is in the files does not fit, which is told', async () => {
    const path = await folder();
    const [first, second] = [await authority.issue('localhost'), await authority.issue('localhost')];
    await writeFile(join(path, 'tls.crt'), first.cert);
    await writeFile(join(path, 'tls.key'), first.key);
    const lines: string[] = [];
    const gateway = await gatewayWith(path, lines);
    const before = await serialShownAt(gateway.secureUrl);

    await writeFile(join(path, 'tls.crt'), second.cert);
    await expect.poll(() => lines.join()).toContain('the former go on');
    expect(await serialShownAt(gateway.secureUrl)).toBe(before);
    await writeFile(join(path, 'tls.key'), second.key);
    await expect.poll(() => serialShownAt(gateway.secureUrl)).not.toBe(before);
    expect(lines.join()).not.toContain('PRIVATE KEY');
  });

  it('F4 must fit its key from the start', async () => {
    const path = await folder();
    await writeFile(join(path, 'tls.crt'), (await authority.issue('localhost')).cert);
    await writeFile(join(path, 'tls.key'), (await authority.issue('localhost')).key);
    await expect(gatewayWith(path)).rejects.toThrow('FOSP_TLS_CERT and FOSP_TLS_KEY cannot be used');
  });
});
