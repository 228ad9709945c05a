/** The provider `aws` on a loopback port, as the Pulumi engine speaks to it (pulumi/proto `provider.proto`). */
import { type handleUnaryCall, Server, ServerCredentials, type ServiceError, status } from "@grpc/grpc-js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import services from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import proto from "@pulumi/pulumi/proto/provider_pb.js";
import type { ProviderCall } from "@risk/program-graph";
import { messageOf } from "@risk/program-graph";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import { type Difference, fieldOf, type ProviderResources } from "./resources";
import { fromStruct, plainProperties, toStruct } from "./values";

interface ServerArgs {
  readonly resources: ProviderResources;
  /** Provider functions by token. */
  readonly calls: Readonly<Record<string, ProviderCall>>;
  readonly region: string;
  /** Of `@pulumi/aws`. */
  readonly version: string;
}

interface ProviderServer {
  readonly port: number;
  end(): void;
}

/** Archives travel inside the messages. */
const UNLIMITED = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };

/** On a free port. */
export async function serveProvider(args: ServerArgs): Promise<ProviderServer> {
  const server = new Server(UNLIMITED);
  server.addService(services.ResourceProviderService, { ...lifecycle(args), ...operations(args) });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, free) =>
      error === null ? resolve(free) : reject(error),
    );
  });
  return { port: bound, end: () => server.forceShutdown() };
}

/** A handler from a function that returns the response, or a promise of it. */
function answering<Request, Response>(
  answer: (request: Request) => Response | Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    Promise.resolve(call.request)
      .then(answer)
      .then(
        (response) => callback(null, response),
        (error: unknown) => callback(failure(error)),
      );
  };
}

function failure(error: unknown): Partial<ServiceError> {
  const message = messageOf(error);
  // AWS's error code is the name of the error.
  const named = error instanceof Error && error.name !== "Error" ? `${error.name}: ${message}` : message;
  return { code: status.UNKNOWN, details: named };
}

function lifecycle({ version, region }: ServerArgs) {
  return {
    handshake: answering(() => new proto.ProviderHandshakeResponse().setAcceptSecrets(true).setAcceptResources(true)),
    attach: answering(() => new Empty()),
    cancel: answering(() => new Empty()),
    getSchema: answering(() => new proto.GetSchemaResponse().setSchema("{}")),
    getPluginInfo: answering(() => new plugin.PluginInfo().setVersion(version)),
    getMapping: answering(() => new proto.GetMappingResponse()),
    getMappings: answering(() => new proto.GetMappingsResponse()),
    checkConfig: answering((request: proto.CheckRequest) => new proto.CheckResponse().setInputs(request.getNews())),
    diffConfig: answering(() => new proto.DiffResponse().setChanges(proto.DiffResponse.DiffChanges.DIFF_NONE)),
    configure: answering((request: proto.ConfigureRequest) => {
      const asked = request.getVariablesMap().get("aws:config:region") ?? region;
      if (asked === region)
        return new proto.ConfigureResponse().setAcceptsecrets(true).setSupportspreview(true).setAcceptresources(true);
      throw new Error(
        `The stack is in ${asked}, this provider in ${region}. Start it for the stack: npm run engine -- serve --stack NAME`,
      );
    }),
  };
}

function operations({ resources, calls }: ServerArgs) {
  return {
    invoke: answering(async (request: proto.InvokeRequest) => {
      const call = calls[request.getTok()];
      if (call === undefined) throw new Error(`${request.getTok()}: this provider function isn't implemented locally.`);
      return new proto.InvokeResponse().setReturn(toStruct(await call(plainProperties(fromStruct(request.getArgs())))));
    }),
    check: answering((request: proto.CheckRequest) => {
      const [olds, news] = [fromStruct(request.getOlds()), fromStruct(request.getNews())];
      const { inputs, failures } = resources.check(request.getUrn(), olds, news, request.getRandomseed_asU8());
      return new proto.CheckResponse()
        .setInputs(toStruct(inputs))
        .setFailuresList(
          failures.map(({ property, reason }) => new proto.CheckFailure().setProperty(property).setReason(reason)),
        );
    }),
    diff: answering((request: proto.DiffRequest) => {
      const [olds, oldInputs] = [fromStruct(request.getOlds()), fromStruct(request.getOldInputs())];
      const news = fromStruct(request.getNews());
      return diffResponse(resources.diff(request.getUrn(), olds, oldInputs, news, request.getIgnorechangesList()));
    }),
    create: answering(async (request: proto.CreateRequest) => {
      const inputs = fromStruct(request.getProperties());
      // In a preview, inputs are known; everything else only after the creation.
      if (request.getPreview()) return new proto.CreateResponse().setProperties(toStruct(inputs));
      const { id, state } = await resources.create(request.getUrn(), inputs);
      return new proto.CreateResponse().setId(id).setProperties(toStruct(state));
    }),
    update: answering(async (request: proto.UpdateRequest) => {
      const [urn, id] = [request.getUrn(), request.getId()];
      const news = fromStruct(request.getNews());
      const state = request.getPreview()
        ? resources.previewUpdate(urn, id, fromStruct(request.getOlds()), news)
        : await resources.update(urn, id, fromStruct(request.getOldInputs()), news);
      return new proto.UpdateResponse().setProperties(toStruct(state));
    }),
    delete: answering(async (request: proto.DeleteRequest) => {
      await resources.delete(request.getUrn(), request.getId(), fromStruct(request.getOldInputs()));
      return new Empty();
    }),
    read: answering((request: proto.ReadRequest) => {
      const state = resources.read(request.getUrn(), request.getId(), fromStruct(request.getProperties()));
      if (state === undefined) return new proto.ReadResponse();
      return new proto.ReadResponse().setId(request.getId()).setProperties(toStruct(state)).setInputs(request.getInputs());
    }),
  };
}

const { Kind } = proto.PropertyDiff;
const KINDS = { add: Kind.ADD, delete: Kind.DELETE, update: Kind.UPDATE } as const;
const REPLACING_KINDS = { add: Kind.ADD_REPLACE, delete: Kind.DELETE_REPLACE, update: Kind.UPDATE_REPLACE } as const;

function diffResponse({ changes, deleteBeforeReplace }: Difference): proto.DiffResponse {
  const fieldsOf = (some: Difference["changes"]) => [...new Set(some.map(({ path }) => fieldOf(path)))];
  const { DIFF_SOME, DIFF_NONE } = proto.DiffResponse.DiffChanges;
  const response = new proto.DiffResponse()
    .setChanges(changes.length > 0 ? DIFF_SOME : DIFF_NONE)
    .setDiffsList(fieldsOf(changes))
    .setReplacesList(fieldsOf(changes.filter(({ replaces }) => replaces)))
    .setDeletebeforereplace(deleteBeforeReplace)
    .setHasdetaileddiff(true);
  for (const { path, kind, replaces } of changes) {
    const detail = new proto.PropertyDiff().setKind((replaces ? REPLACING_KINDS : KINDS)[kind]).setInputdiff(true);
    response.getDetaileddiffMap().set(path, detail);
  }
  return response;
}
