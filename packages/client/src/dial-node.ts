import { dial, type Peer, TimerWheel, TransferBudget } from '@fosp/connection';
import { BUDGET_BYTES, type DialOptions } from './dial-options.ts';

const environment = { budget: new TransferBudget(BUDGET_BYTES), timers: new TimerWheel() };

/** Opens a connection from Node. */
export function openConnection(url: string, { handler, signal }: DialOptions): Promise<Peer> {
  return dial(url, { handler, signal, environment });
}
