import { isIP } from 'node:net';

/**
 * Can this be looked up, and stand in a URL for what was found? An address can not, in any of the spellings that URLs know
 * (`127.0.0.1`, `2130706433`, `0x7f.1`): it would be dialled as it is, past every check of what was looked up.
 */
export function isHostName(name: string): boolean {
  const url = `wss://${name}/`;
  return URL.canParse(url) && new URL(url).hostname === name && isIP(name) === 0 && !name.startsWith('[');
}
