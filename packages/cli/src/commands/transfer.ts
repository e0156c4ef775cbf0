import { stat } from 'node:fs/promises';
import { asUser, type Context } from '../context.ts';
import { countFiles } from '../count-files.ts';
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
  const report = createReport();
  const progress = createProgressLine(!context.output.json);
  const counted = new AbortController();
  let total: number | undefined;
  if (progress.isShown) {
    countFiles(folder, counted.signal).then(
      (count) => {
        total = count;
      },
      () => undefined,
    );
  }
  const onProgress = (current: string): void => {
    const done = report.files + report.unchanged + report.skipped.length;
    progress.update(`${progressText(report)}  ${current}`, done, total);
  };
  try {
    await asUser(context, (client) => importFolder(folder, resource, { client, report, onProgress }));
  } finally {
    counted.abort();
    progress.end();
  }
  return finish(context, `Imported ${folder} into ${resource}`, report);
}

/** Writes the tree below a resource into a folder; gives the exit code. */
export async function exportCommand(context: Context, resource: string, folder: string): Promise<number> {
  const report = createReport();
  const progress = createProgressLine(!context.output.json);
  const onProgress = (current: string, done: number, found: number): void =>
    progress.update(`${progressText(report)}  ${current}`, done, found);
  try {
    await asUser(context, (client) => exportTree(resource, folder, { client, report, onProgress }));
  } finally {
    progress.end();
  }
  return finish(context, `Exported ${resource} into ${folder}`, report);
}

function progressText(report: TransferReport): string {
  return `${report.files + report.unchanged} files, ${bytesText(report.bytes)}`;
}
