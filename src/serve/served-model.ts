/** A model behind the API: computed here, or another server's. */
import type { LanguageModel } from "../providers/index.ts";
import type { ServedCard, WrittenCard } from "./card.ts";
import type { ChatFormat } from "./chat-format.ts";
import type { Gateway } from "./gateway.ts";

interface Served {
  /** Name that requests call it by. */
  id: string;
  /** Unix seconds when it was loaded. */
  created: number;
  card: ServedCard;
  /** Read when asked for: a run's is made from all that it left. */
  writtenCard(): Promise<WrittenCard>;
}

export interface LocalModel extends Served {
  kind: "local";
  model: LanguageModel;
  chat: ChatFormat;
}

export interface RemoteModel extends Served {
  kind: "gateway";
  gateway: Gateway;
}

export type ServedModel = LocalModel | RemoteModel;
