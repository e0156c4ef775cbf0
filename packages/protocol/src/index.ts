export { type AclLimits, mergeAcl, normaliseAcl, normaliseAclPatch, rootAcl } from './acl.ts';
export { type Attachment, type AttachmentPatch, attachmentText, mergeAttachment } from './attachment.ts';
export { type DecodedHead, decodeHead, decodeText } from './decode.ts';
export { normaliseDomain } from './domain.ts';
export {
  encodeNotificationHead,
  encodeRequestHead,
  encodeResponseHead,
  type HeadOptions,
  isHeaderValue,
} from './encode.ts';
export * from './errors.ts';
export { elements, members, objectText, stringOf, utf8Length } from './json.ts';
export { checkJson, isJsonText } from './json-check.ts';
export { equalJson } from './json-equal.ts';
export * from './limits.ts';
export { mergePatch } from './merge-patch.ts';
export * from './message.ts';
export {
  type BodyOptions,
  type ObjectFields,
  type ObjectFragments,
  type ObjectLimits,
  type ObjectPatch,
  parseObjectBody,
} from './object.ts';
export { normalisePath, normalisePathPart } from './path.ts';
export { decodeHeaderText, encodeHeaderText, escapePathPart, unescapePathPart } from './percent.ts';
export {
  type Change,
  changeOf,
  contentsOf,
  isChange,
  type Judgement,
  judgeChange,
  type SubscriptionChange,
} from './policy/changes.ts';
export { type CompiledAcl, compileAcl } from './policy/compiled-acl.ts';
export {
  acceptsNotification,
  type Forwarding,
  type ForwardingQuestion,
  forwardingOf,
  type NotificationQuestion,
} from './policy/forwarding.ts';
export { type Groups, NO_GROUPS, normaliseGroupsPatch, parseGroups } from './policy/groups.ts';
export { ALL_RIGHTS, READ_RIGHTS, RIGHTS, type RightsMask, rightNames } from './policy/right-names.ts';
export { rightsOf } from './policy/rights.ts';
export { subscribersOf } from './policy/subscribers.ts';
export { viewOf } from './policy/view.ts';
export * from './resource-id.ts';
export {
  EVENT_BITS,
  mergeSubscription,
  type Subscription,
  type SubscriptionEntryPatch,
  type SubscriptionPatch,
  type SubscriptionRow,
  shownSubscriptions,
  subscriptionsView,
} from './subscriptions.ts';
export { normaliseUserName } from './user-name.ts';
