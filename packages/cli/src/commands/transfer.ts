import { stat } from 'node:fs/promises';
import { asUser, type Context } from '../context.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { exportTree } from '../export-tree.ts';
import { importFolder } from '../import-folder.ts';
import { bytesText, createProgressLine } from '../progress.ts';
import { createReport, finish, type TransferReport } from '../report.ts';

/** Stores a folder below a resource; gives the exit code. */
export async function importCommand(context: Context, folder: string, resource: string): Promise<number> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    throw new CommandError(`${folder} is no folder`, EXIT.usage);
  }
  return await transfer(context, `Imported ${folder} into ${resource}`, async (report, onProgress) => {
    await asUser(context, (client) => importFolder(folder, resource, { client, report, onProgress }));
  });
}

/** Writes the tree below a resource into a folder; gives the exit code. */
export async function exportCommand(context: Context, resource: string, folder: string): Promise<number> {
  return await transfer(context, `Exported ${resource} into ${folder}`, async (report, onProgress) => {
    await asUser(context, (client) => exportTree(resource, folder, { client, report, onProgress }));
  });
}

type Work = (report: TransferReport, onProgress: (current: string) => void) => Promise<void>;

async function transfer(context: Context, what: string, work: Work): Promise<number> {
  const report = createReport();
  const progress = createProgressLine(!context.output.json);
  await work(report, (current) => {
    progress.update(`${report.files + report.unchanged} files, ${bytesText(report.bytes)}  ${current}`);
  });
  progress.end();
  return finish(context, what, report);
}
