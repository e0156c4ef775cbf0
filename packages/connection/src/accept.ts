import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { acceptKey, hasToken, SUBPROTOCOL, tokensOf } from './handshake.ts';

/**
 * Answers the upgrade request of a `node:http` server (RFC 6455 §4.2), on any path; echoes the subprotocol `fosp` where
 * it is offered, and does without where not (PROTOCOL §1).
 *
 * @returns false when the request was no good: then 400 or 426 was answered, with a text, and the socket ends
 */
export function acceptUpgrade(request: IncomingMessage, socket: Duplex): boolean {
  const { headers } = request;
  const key = headers['sec-websocket-key'] ?? '';
  if (headers['sec-websocket-version'] !== '13' && headers['sec-websocket-version'] !== undefined) {
    refuse(socket, '426 Upgrade Required', 'Only version 13 of the WebSocket protocol is spoken here (RFC 6455).');
    return false;
  }
  const mistake = mistakeIn(request, key);
  if (mistake !== undefined) {
    refuse(socket, '400 Bad Request', mistake);
    return false;
  }
  const offered = tokensOf(headers['sec-websocket-protocol']).includes(SUBPROTOCOL);
  const protocol = offered ? `Sec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n` : '';
  const status = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
  socket.write(`${status}Sec-WebSocket-Accept: ${acceptKey(key)}\r\n${protocol}\r\n`);
  return true;
}

function mistakeIn(request: IncomingMessage, key: string): string | undefined {
  const { headers } = request;
  if (request.method !== 'GET' || request.httpVersion === '1.0') {
    return 'A WebSocket is opened with GET over HTTP/1.1.';
  }
  if (!hasToken(headers.upgrade, 'websocket') || !hasToken(headers.connection, 'upgrade')) {
    return 'To open a WebSocket, send the headers "Connection: Upgrade" and "Upgrade: websocket".';
  }
  if (headers['sec-websocket-version'] === undefined) {
    return 'The header Sec-WebSocket-Version is missing; it must be 13.';
  }
  return /^[+/0-9A-Za-z]{22}==$/.test(key) ? undefined : 'The header Sec-WebSocket-Key must be 16 bytes in base64.';
}

function refuse(socket: Duplex, status: string, text: string): void {
  const body = `${text}\n`;
  socket.on('error', () => socket.destroy());
  socket.on('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nSec-WebSocket-Version: 13\r\n` +
      `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
