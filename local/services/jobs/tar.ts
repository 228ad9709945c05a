/** Repeatable tar.gz archives: the same files give the same bytes. */
import { readdir, readFile } from "node:fs/promises";
import { join, sep } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

const BLOCK = 512;
/** Sizes are eleven octal digits. */
const MAX_BYTES = 8 ** 11 - 1;

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

/** A gzip of a POSIX tar of a folder's files: sorted, without owners and times. */
export async function tarGz(folder: string): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for (const name of await filesBelow(folder)) {
    const data = await readFile(join(folder, name));
    blocks.push(header(name, data.length), data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK));
  }
  // An archive ends with two empty blocks.
  return promisify(gzip)(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]));
}

function header(path: string, size: number): Buffer {
  const { prefix, name } = splitName(path);
  if (size > MAX_BYTES) throw new Error(`${path} has ${size} bytes; a file of an archive has at most ${MAX_BYTES}.`);
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0);
  block.write("0000644\0", 100);
  block.write("0000000\0", 108);
  block.write("0000000\0", 116);
  block.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  block.write("00000000000\0", 136);
  // The checksum counts its own field as blanks.
  block.write("        ", 148);
  block.write("0", 156);
  block.write("ustar\x0000", 257);
  block.write(prefix, 345);
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  block.write(`${checksum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

/** ustar keeps 100 bytes of name and 155 of the folders before it. */
function splitName(path: string): { readonly prefix: string; readonly name: string } {
  if (Buffer.byteLength(path) <= 100) return { prefix: "", name: path };
  for (let slash = path.indexOf("/"); slash > 0; slash = path.indexOf("/", slash + 1)) {
    const [prefix, name] = [path.slice(0, slash), path.slice(slash + 1)];
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100) return { prefix, name };
  }
  throw new Error(`The path '${path}' is too long for a tar archive; use at most 100 bytes for a name and 155 for its folders.`);
}
