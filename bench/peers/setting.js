// What every peer is told by its environment, and what it makes of CometChat's answer: all of them the same.

export const {
  PORT,
  COMETCHAT_BASE_URL: baseUrl,
  COMETCHAT_API_KEY: apikey,
  SESSION_SECRET: secret,
  SESSION_ISSUER: issuer,
  SESSION_AUDIENCE: audience,
} = process.env;

/** What the gateway's clients get of a conversation. */
export const slim = ({ data }) => ({
  conversations: [data].flat().map((conversation) => {
    const { conversationId, conversationType, tags, unreadMessageCount, createdAt, updatedAt } = conversation;
    const { conversationWith, lastMessage } = conversation;
    return {
      conversationId,
      conversationType,
      tags,
      unreadMessageCount: Number(unreadMessageCount),
      createdAt,
      updatedAt,
      conversationWith:
        conversationType === 'user'
          ? { uid: conversationWith.uid, name: conversationWith.name, avatar: conversationWith.avatar }
          : { guid: conversationWith.guid, name: conversationWith.name, icon: conversationWith.icon },
      ...(lastMessage && {
        lastMessage: {
          id: lastMessage.id,
          sender: lastMessage.sender,
          category: lastMessage.category,
          type: lastMessage.type,
          sentAt: lastMessage.sentAt,
        },
      }),
    };
  }),
});
