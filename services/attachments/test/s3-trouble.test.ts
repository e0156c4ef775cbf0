/** An S3 server that is not there, does not answer, or does not want us: what is said, and that it passes. */
import { randomBytes } from 'node:crypto';
import { ATTACHMENTS } from '@fosp/bus';
import { Health } from '@fosp/runtime';
import { type S3Server, s3Installed, startBadNetwork, startS3 } from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createS3Store, type S3Options } from '../src/s3/s3.ts';
import { OBJECT, serviceWith } from './service.ts';

/** Where a test waits for what is not answered, and something else is answered all the same. */
const IMPATIENT = { connectTimeout: 2_000, answerTimeout: 2_000, patience: 4_000, checkTimeout: 2_000 };

const without = s3Installed() ? '' : ' (left out: no Ceph; apt-get install radosgw ceph-mon ceph-osd ceph-common)';

describe.skipIf(!s3Installed())(`trouble with S3${without}`, () => {
  let server: S3Server;
  let buckets = 0;
  beforeAll(async () => {
    server = await startS3();
  });
  afterAll(() => server.stop());

  function optionsFor(more: Partial<S3Options> = {}): S3Options {
    const { endpoint, region, accessKeyId, secretAccessKey } = server;
    return {
      ...{ endpoint, region, accessKeyId, secretAccessKey, bucket: `bucket-${buckets++}`, forcePathStyle: true },
      ...{ stopSeconds: 0, attempts: 2, connectTimeout: 10_000, answerTimeout: 20_000, patience: 60_000, ...more },
    };
  }

  it.each<[string, () => Promise<Partial<S3Options>>, RegExp]>([
    [
      'nobody listens',
      async () => ({ endpoint: 'http://127.0.0.1:1' }),
      /127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED.*FOSP_S3_ENDPOINT/,
    ],
    [
      'there is no such host',
      async () => ({ endpoint: 'http://s3.invalid' }),
      /s3\.invalid cannot be reached: .*FOSP_S3_ENDPOINT/,
    ],
    [
      'the bucket is no part of the host',
      async () => ({ endpoint: 'http://s3.invalid', forcePathStyle: false }),
      /FOSP_S3_FORCE_PATH_STYLE=on/,
    ],
    ['the secret is wrong', async () => ({ secretAccessKey: 'wrong' }), /answers 403 .*FOSP_S3_SECRET_ACCESS_KEY/],
    ['the key id is unknown', async () => ({ accessKeyId: 'nobody' }), /answers 403 .*FOSP_S3_ACCESS_KEY_ID/],
    ['the bucket’s name is none', async () => ({ bucket: 'No Bucket' }), /FOSP_S3_BUCKET/],
  ])('at the start is told in one line: %s', async (_what, change, expected) => {
    const store = createS3Store(optionsFor(await change()));
    const failed: unknown = await store.start().catch((error: unknown) => error);
    await store.stop();
    expect(failed).toMatchObject({ name: 'StartError', message: expect.stringMatching(expected) });
    expect(String(failed)).not.toContain('\n');
  });

  it('at the start ends the wait for a server that does not answer', async () => {
    await using network = await startBadNetwork({ port: server.port });
    network.hold();
    const store = createS3Store(optionsFor({ endpoint: `http://127.0.0.1:${network.port}`, ...IMPATIENT }));
    await expect(store.start()).rejects.toMatchObject({ name: 'StartError' });
    await store.stop();
  });

  it('is found out soon, where it does not answer, however patient requests are', async () => {
    await using network = await startBadNetwork({ port: server.port });
    const patient = { connectTimeout: 600_000, answerTimeout: 600_000, patience: 600_000, checkTimeout: 2_000 };
    const store = createS3Store(optionsFor({ endpoint: `http://127.0.0.1:${network.port}`, ...patient }));
    await store.start();
    network.hold();
    await expect(store.check()).rejects.toThrow();
    await store.stop();
  });

  it('two processes make the bucket at the same moment', async () => {
    const options = optionsFor();
    const stores = Array.from({ length: 4 }, () => createS3Store(options));
    await Promise.all(stores.map((store) => store.start()));
    await Promise.all(stores.map((store) => store.stop()));
  });

  it.each<[string, 'refuse' | 'hold', 'allow' | 'release']>([
    ['that cannot be reached', 'refuse', 'allow'],
    ['that does not answer', 'hold', 'release'],
  ])(
    'F34 a server %s makes the service unready, READ and WRITE 503, and is missed no longer once back',
    async (_what, cut, mend) => {
      await using network = await startBadNetwork({ port: server.port });
      const health = new Health();
      health.started();
      const store = createS3Store(optionsFor({ endpoint: `http://127.0.0.1:${network.port}`, ...IMPATIENT }));
      await using test = await serviceWith(store, { health, options: { checkSeconds: 0.05 } });
      await test.upload(randomBytes(10));
      expect(health.reasons()).toEqual([]);
      network[cut]();
      await expect.poll(() => health.reasons()).toEqual(['the file store cannot be reached']);
      const refusal = {
        code: 'unavailable',
        message: expect.stringContaining('file store'),
        headers: { 'Retry-After': '1' },
      };
      await expect(test.bus.call(ATTACHMENTS.write, { ...OBJECT, size: '1' })).rejects.toMatchObject(refusal);
      await expect(test.bus.call(ATTACHMENTS.read, OBJECT)).rejects.toMatchObject(refusal);
      await expect(store.verify('0'.repeat(32), { size: 1, checksum: '' })).rejects.toMatchObject(refusal);
      await expect(test.service.sweep()).rejects.toMatchObject(refusal);
      network[mend]();
      await expect.poll(() => health.reasons()).toEqual([]);
      await test.upload(randomBytes(10));
      const { fields } = await test.bus.call(ATTACHMENTS.read, OBJECT);
      expect((await fetch(fields.url)).status).toBe(200);
    },
  );
});
