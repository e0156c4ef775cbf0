/** One HTTP request to the server, whose certificate is checked as that of its WebSockets is. */
import { type IncomingMessage, get as plainGet } from 'node:http';
import { get as secureGet } from 'node:https';
import { text } from 'node:stream/consumers';
import type { HttpAnswer } from './case.ts';
import { Failure } from './expect.ts';

/** What is believed of a certificate, as `tls.connect` takes it. */
export interface Certification {
  /** Authorities in place of those that Node knows, as PEM. */
  readonly ca?: string;
  /** Whose certificate it is to be, where that is not the URL's host. */
  readonly servername?: string;
}

export async function httpGet(url: URL, tls: Certification, timeoutMs: number): Promise<HttpAnswer> {
  const signal = AbortSignal.timeout(timeoutMs);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = { signal, agent: false };
    const request =
      url.protocol === 'https:' ? secureGet(url, { ...options, ...tls }, resolve) : plainGet(url, options, resolve);
    request.on('error', (error) => reject(new Failure(`an answer from ${url}`, error.message)));
  });
  const { statusCode = 0, headers } = response;
  return { status: statusCode, type: headers['content-type'] ?? '', text: await text(response) };
}
