/**
 * PROTOCOL §9: a server as seen by another server. No case yet: these need a second domain whose address the server
 * under test can find. What §9 says about clients is in `grammar.ts` and `bad-messages.ts`.
 */
import type { Case } from '../case.ts';

export const federation: readonly Case[] = [];
