import { gunzipSync } from "node:zlib";

/** Names and texts of the files of a tar.gz, in order. */
export function unpacked(archive: Buffer | undefined): [string, string][] {
  const tar = gunzipSync(archive ?? Buffer.alloc(0));
  const files: [string, string][] = [];
  for (let offset = 0; offset + 512 <= tar.length && tar[offset] !== 0; ) {
    const text = (start: number, length: number) =>
      tar.toString("utf8", offset + start, offset + start + length).replace(/\0.*$/s, "");
    const size = Number.parseInt(text(124, 12), 8);
    files.push([text(0, 100), tar.toString("utf8", offset + 512, offset + 512 + size)]);
    offset += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}
