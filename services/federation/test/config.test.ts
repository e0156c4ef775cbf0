import { once } from 'node:events';
import { connect, createServer, type SecureContext } from 'node:tls';
import { EnvironmentError, readEnvironment } from '@fosp/runtime';
import { authorityInstalled, startTestAuthority, type TestCertificate } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { FEDERATION_VARIABLES, federationConfig } from '../src/config.ts';
import { NameSystem } from '../src/discovery/name-system.ts';

const configOf = (environment: Readonly<Record<string, string>>) =>
  federationConfig(readEnvironment(environment, FEDERATION_VARIABLES));

describe('the configuration of federation', () => {
  it('F66 is on for all by default, and careful', () => {
    const { discovery, policy } = configOf({});
    expect(policy).toEqual({ enabled: true, allow: [], block: [], file: undefined });
    expect(discovery).toMatchObject({
      domains: ['localhost'],
      plain: false,
      dnsServers: [],
      cacheSeconds: 300,
      lookupSeconds: 5,
      secureContext: undefined,
    });
    expect(discovery.peers.size).toBe(0);
    expect(discovery.privateNetworks.has('127.0.0.1')).toBe(false);
  });

  it('F62 F66 is what the variables say', () => {
    const { discovery, policy } = configOf({
      FOSP_DOMAIN: 'Wonderland.lit',
      FOSP_FEDERATION: 'off',
      FOSP_FEDERATION_ALLOW: 'realworld.lit, *.example',
      FOSP_FEDERATION_BLOCK: 'evil.example',
      FOSP_FEDERATION_POLICY_FILE: '/etc/fosp/policy.json',
      FOSP_FEDERATION_PEERS: 'realworld.lit=ws://127.0.0.1:2337',
      FOSP_FEDERATION_PRIVATE: '127.0.0.0/8,::1',
      FOSP_FEDERATION_PLAIN: 'on',
      FOSP_FEDERATION_CACHE_SECONDS: '60',
      FOSP_FEDERATION_LOOKUP_SECONDS: '2',
      FOSP_DNS_SERVERS: '127.0.0.1:5353,10.0.0.1, ::1,[::1]:53,[::1]',
    });
    expect(policy).toEqual({
      enabled: false,
      allow: ['realworld.lit', '*.example'],
      block: ['evil.example'],
      file: '/etc/fosp/policy.json',
    });
    expect(discovery).toMatchObject({ domains: ['wonderland.lit'], plain: true, cacheSeconds: 60, lookupSeconds: 2 });
    expect(discovery.dnsServers).toEqual(['127.0.0.1:5353', '10.0.0.1', '::1', '[::1]:53', '[::1]']);
    expect(discovery.peers.get('realworld.lit')).toHaveLength(1);
    expect(discovery.privateNetworks.has('::1')).toBe(true);
  });

  it.each([
    ['FOSP_FEDERATION_ALLOW', '*'],
    ['FOSP_FEDERATION_BLOCK', 'no domain'],
    ['FOSP_FEDERATION_PEERS', 'realworld.lit'],
    ['FOSP_FEDERATION_PRIVATE', 'localhost'],
    ['FOSP_DNS_SERVERS', 'localhost'],
    ['FOSP_DNS_SERVERS', '127.0.0.1:0'],
    ['FOSP_DNS_SERVERS', '127.0.0.1:70000'],
    ['FOSP_DNS_SERVERS', '[127.0.0.1'],
    ['FOSP_DNS_SERVERS', 'udp://127.0.0.1'],
    ['FOSP_FEDERATION_CACHE_SECONDS', '0'],
    ['FOSP_FEDERATION_CA', '/nowhere.pem'],
    ['FOSP_FEDERATION_CA', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----'],
    ['FOSP_FEDERATION_CA', '-----BEGIN PRIVATE KEY-----'],
  ])('says which variable is wrong: %s=%s', (name, value) => {
    const read = () => configOf({ [name]: value });
    expect(read).toThrow(EnvironmentError);
    expect(read).toThrow(new RegExp(`${name}: `));
  });

  it.skipIf(!authorityInstalled())('F62 believes the authorities of a file, and no others', async () => {
    await using one = await startTestAuthority();
    await using other = await startTestAuthority();
    await using third = await startTestAuthority();
    const { secureContext } = configOf({ FOSP_FEDERATION_CA: `${one.cert}${other.cert}` }).discovery;
    const { secureContext: fromFile } = configOf({ FOSP_FEDERATION_CA: third.certFile }).discovery;
    const believed = await Promise.all(
      [one, other, third].map(async (authority) => {
        const certificate = await authority.issue('realworld.lit');
        return [await believes(secureContext, certificate), await believes(fromFile, certificate)];
      }),
    );
    expect(believed).toEqual([
      [true, false],
      [true, false],
      [false, true],
    ]);
  });

  it('F62 asks the servers that it takes', () => {
    const { dnsServers } = configOf({ FOSP_DNS_SERVERS: '127.0.0.1:5353,10.0.0.1, ::1,[::1]:53,[::1]' }).discovery;
    expect(() => new NameSystem({ servers: dnsServers, patience: 1 })).not.toThrow();
  });
});

/** Does a client with this context speak with a server that has this certificate? */
async function believes(secureContext: SecureContext | undefined, { cert, key }: TestCertificate): Promise<boolean> {
  const server = createServer({ cert, key }, (socket) => socket.end());
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const servername = 'realworld.lit';
  const socket = connect({ port, host: '127.0.0.1', servername, ...(secureContext ? { secureContext } : {}) });
  try {
    await once(socket, 'secureConnect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
    server.close();
  }
}
