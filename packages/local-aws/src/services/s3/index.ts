export { s3Bodies } from "./bodies";
export { S3Service } from "./service";
