import java.net.HttpURLConnection
import java.net.URL

/** What the gateway answered: a conversation, or a problem with a `code`. The body is JSON. */
class Reply(val status: Int, val body: String)

/**
 * Calls the CometChat gateway. It needs no library. It blocks: call it off the main thread.
 *
 * @param token gives the session token of the signed-in user, for each request
 */
class GatewayClient(private val baseUrl: String, private val token: () -> String) {
    var connectTimeoutMs = 3_000
    /** Longer than the gateway's own deadline, COMETCHAT_DEADLINE_MS. */
    var readTimeoutMs = 5_000
    /** The longest that a call waits because of Retry-After, in all. */
    var longestWaitMs = 10_000L

    /**
     * Sends a request, and sends it up to twice again if the gateway asks for it by Retry-After.
     *
     * @param path with its query, such as `/me/conversations/tags`
     * @param body JSON; none for GET
     * @throws java.io.IOException where no answer came. Sending the same request again is safe
     */
    fun call(method: String, path: String, body: String? = null): Reply {
        var leftMs = longestWaitMs
        var attempt = 1
        while (true) {
            val (reply, waitMs) = send(method, path, body)
            if (waitMs == null || waitMs > leftMs || attempt == 3) return reply
            Thread.sleep(waitMs)
            leftMs -= waitMs
            attempt += 1
        }
    }

    /** Sends a request once. The second value is how long the gateway asks to wait before the next attempt. */
    private fun send(method: String, path: String, body: String?): Pair<Reply, Long?> {
        val connection = URL(baseUrl + path).openConnection() as HttpURLConnection
        try {
            // Android takes PATCH; the HttpURLConnection of other JVMs does not.
            connection.requestMethod = method
            connection.connectTimeout = connectTimeoutMs
            connection.readTimeout = readTimeoutMs
            // The token must not follow a redirect to another server.
            connection.instanceFollowRedirects = false
            connection.setRequestProperty("Authorization", "Bearer " + token())
            if (body != null) {
                connection.doOutput = true
                connection.setRequestProperty("Content-Type", "application/json")
                connection.outputStream.use { it.write(body.toByteArray()) }
            }
            val status = connection.responseCode
            val stream = if (status < 400) connection.inputStream else connection.errorStream
            val text = stream?.bufferedReader()?.use { it.readText() } ?: ""
            val seconds = connection.getHeaderField("Retry-After")?.toLongOrNull()?.coerceIn(0, 86_400)
            return Pair(Reply(status, text), seconds?.times(1000))
        } finally {
            connection.disconnect()
        }
    }
}
