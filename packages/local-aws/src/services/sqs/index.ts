export { sqsBodies } from "./bodies";
export { type MetricSink, SqsService } from "./service";
