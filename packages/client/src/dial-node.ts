import { dial, type Peer, type PeerHandler, type PeerLimits, TimerWheel, TransferBudget } from '@fosp/connection';

const BUDGET_BYTES = 512 * 1024 * 1024;
const environment = { budget: new TransferBudget(BUDGET_BYTES), timers: new TimerWheel() };

/** Opens a connection from Node. */
export function openConnection(url: string, handler: PeerHandler, limits: PeerLimits): Promise<Peer> {
  return dial(url, { handler, limits, environment });
}
