/** Files as rows of text, made up in the shape of public data sets. */
import { type Inspected, inspect } from "../../../functions/files/inspect";
import { readRows } from "../../../functions/files/read";
import type { FileOptions, Row } from "../../../functions/files/types";

export const bytesOf = (text: string): Buffer => Buffer.from(text, "utf8");

/** In chunks of these sizes, the rest in one. */
export async function* inChunks(bytes: Uint8Array, sizes: readonly number[] = []): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    if (at >= bytes.length) return;
    yield bytes.subarray(at, at + size);
    at += size;
  }
  if (at < bytes.length) yield bytes.subarray(at);
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

export interface ReadFile extends Inspected {
  readonly rows: readonly Row[];
}

export async function readFile(
  file: string | Uint8Array,
  options: FileOptions = {},
  sizes: readonly number[] = [],
): Promise<ReadFile> {
  const bytes = typeof file === "string" ? bytesOf(file) : file;
  const inspected = await inspect(inChunks(bytes, sizes), options);
  return { ...inspected, rows: await all(readRows(inspected.plain, inspected.plan)) };
}

/** The cells of readable rows, and the reasons of the others. */
export const contents = (rows: readonly Row[]): unknown[] =>
  rows.map((row) => (row.kind === "row" ? row.cells : `${row.line}: ${row.reason}`));

export const PAYSIM = [
  "step,type,amount,nameOrig,oldbalanceOrg,newbalanceOrig,nameDest,oldbalanceDest,newbalanceDest,isFraud,isFlaggedFraud",
  "1,PAYMENT,2682.1,C100,2782.10,100.0,M200,0.0,0.0,0,0",
  "30,CASH_OUT,181.0,C101,181.0,0.0,C201,21182.0,0.0,1,0",
].join("\r\n");

export const TABFORMER = [
  "User,Card,Year,Month,Day,Time,Amount,Use Chip,Merchant Name,Merchant City,Merchant State,Zip,MCC,Errors?,Is Fraud?",
  "0,1,2019,9,1,06:21,$134.09,Swipe Transaction,3527213246127876953,La Verne,CA,91750.0,5300,,No",
  "0,1,2019,9,2,14:02,$-25.00,Online Transaction,-727612092139916043,ONLINE,,,5411,Bad PIN,No",
].join("\n");

export const AML = [
  "Timestamp,From Bank,Account,To Bank,Account,Amount Received,Receiving Currency,Amount Paid,Payment Currency,Payment Format,Is Laundering",
  "2022/09/01 00:20,010,8000EBD30,010,8000EBD31,3697.34,US Dollar,3697.34,US Dollar,Reinvestment,0",
  "2022/09/01 23:02,3208,8000F4580,1,8000F5340,5000,Yen,35.4,Euro,Cheque,0",
].join("\n");

export const TAKE_HOME = [
  "user_id,signup_time,purchase_time,purchase_value,device_id,source,browser,sex,age,ip_address,class",
  "22058,2/1/2015 22:55,4/1/2015 2:47,34,QVPS,SEO,Chrome,M,39,732758368.8,0",
  "333320,6/7/2015 20:39,6/8/2015 1:38,16,EOGF,Ads,Chrome,F,53,350311387.9,0",
].join("\r\n");

export const TAKE_HOME_ISO = TAKE_HOME.replace("4/1/2015 2:47", "2015-04-18 02:47:11").replace(
  "6/8/2015 1:38",
  "2015-06-08 01:38:54",
);

export const SPARKOV = [
  ",trans_date_trans_time,cc_num,merchant,category,amt,first,last,lat,long,trans_num,unix_time,merch_lat,merch_long,is_fraud",
  '0,2019-01-01 00:00:18,4992346398065154184,"fraud_Rippin, Kub",misc_net,4.97,A,B,36.1,-81.2,0b24,1325376018,36.0,-82.0,0',
].join("\n");

export const GERMAN = [
  "Bestell-Nr;Kunde;Betrag;Währung;Zeitpunkt",
  'B-1;K-1;1.892,98;EUR;"2026-03-01 12:00:00"',
  "B-2;K-2;7,5;EUR;2026-03-02 12:01:00",
  "",
].join("\r\n");
