import { readEnvironment } from '@fosp/runtime';
import { describe, expect, it } from 'vitest';
import { DRAIN_SHARE, GATEWAY_VARIABLES, gatewayConfig } from '../src/config.ts';

function limitsWith(environment: Record<string, string>) {
  return gatewayConfig(readEnvironment(environment, GATEWAY_VARIABLES)).limits;
}

describe('what a gateway is set by', () => {
  it.each([
    ['1', '0'],
    ['2', '1'],
    ['25', '5'],
    ['25', '60'],
    ['600', '5'],
    [undefined, undefined],
  ])(
    'F68 closes all connections within its share of a drain of %s s, %s s of which are for load balancers',
    (seconds, notice) => {
      const { noticeSeconds, closingSeconds, graceSeconds, handshakeSeconds } = limitsWith({
        ...(seconds === undefined ? {} : { FOSP_DRAIN_SECONDS: seconds }),
        ...(notice === undefined ? {} : { FOSP_DRAIN_NOTICE_SECONDS: notice }),
      });
      // One handshake for those that close by themselves, one for those that are closed after the time of grace.
      const longest = noticeSeconds + closingSeconds + graceSeconds + 2 * handshakeSeconds;
      expect(longest).toBeLessThanOrEqual(Number(seconds ?? 25) * DRAIN_SHARE);
      expect(noticeSeconds).toBeLessThanOrEqual(Number(notice ?? 0));
      expect(DRAIN_SHARE).toBeLessThan(1);
      expect(Math.min(closingSeconds, graceSeconds, handshakeSeconds)).toBeGreaterThan(0);
    },
  );

  it.each(['1', '2', '3', '4'])('F22 leaves logins a place among %s hashes, where there are several', (hashes) => {
    const limits = limitsWith({ FOSP_LIMIT_HASHES: hashes });
    expect(limits.newHashes).toBe(Math.max(1, Number(hashes) - 1));
    expect(limits.newHashesWaiting).toBeLessThan(limits.hashesWaiting);
  });
});
