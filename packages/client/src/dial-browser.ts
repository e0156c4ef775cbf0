import { dial, type Peer, TimerWheel, TransferBudget } from '@fosp/connection/browser';
import { BUDGET_BYTES, type DialOptions } from './dial-options.ts';

const environment = { budget: new TransferBudget(BUDGET_BYTES), timers: new TimerWheel() };

/** The same from a browser, over its own WebSocket: `imports` of package.json chooses. */
export function openConnection(url: string, { handler, signal }: DialOptions): Promise<Peer> {
  return dial(url, { handler, signal, environment });
}
