/** Repeatable tar.gz archives: the same files give the same bytes. */
import { readdir, readFile } from "node:fs/promises";
import { join, sep } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { createTar } from "nanotar";

/** Paths of all files below a folder, with slashes, sorted; none when the folder does not exist. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  return files.map((file) => file.split(sep).join("/")).sort();
}

/** A header of a tar has this room, and nanotar cuts what is longer. */
const NAME_BYTES = 100;

/** A gzip of a tar of a folder's files: sorted, without owners and times. */
export async function tarGz(folder: string): Promise<Buffer> {
  const names = await filesBelow(folder);
  const long = names.find((name) => Buffer.byteLength(name) > NAME_BYTES);
  if (long !== undefined) throw new Error(`The path '${long}' is too long for a tar archive; use at most ${NAME_BYTES} bytes.`);
  const files = await Promise.all(names.map(async (name) => ({ name, data: await readFile(join(folder, name)) })));
  // Two empty blocks end an archive, which nanotar leaves out where the files fill its last record.
  const end = Buffer.alloc(1024);
  return promisify(gzip)(Buffer.concat([createTar(files, { attrs: { mtime: 0, uid: 0, gid: 0 } }), end]));
}
