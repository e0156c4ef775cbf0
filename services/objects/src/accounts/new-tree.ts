/** What a new user finds: the root, `config` and `config/groups`, all theirs (PROTOCOL §3, §5). */
import { GROUPS_PATH, parentPath, rootAcl } from '@fosp/protocol';
import type { TreeTransaction } from '../store/store.ts';
import { timeOf } from '../times.ts';

/** Creates the objects of a new tree, as the first change of it or of its successor. */
export async function plantTree(tx: TreeTransaction, now: number): Promise<void> {
  const version = await tx.version();
  const time = timeOf(now);
  const common = {
    ...{ owner: tx.tree, btime: time, mtime: time },
    ...{ version, incarnation: version, subscribers: 0 },
  };
  await tx.insert({ ...common, path: '', acl: rootAcl(tx.tree) });
  await tx.insert({ ...common, path: parentPath(GROUPS_PATH) ?? '' });
  await tx.insert({ ...common, path: GROUPS_PATH, data: '{}' });
}
