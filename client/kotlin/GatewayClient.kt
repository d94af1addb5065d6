import java.net.HttpURLConnection
import java.net.URL

/** What the gateway answered: a conversation, or a problem with a `code`. The body is JSON. */
class Reply(val status: Int, val body: String)

/** The statuses after which the same request may succeed a little later. */
private val TRANSIENT = setOf(408, 429, 502, 503, 504)

/**
 * Calls the CometChat gateway. It needs no library. It blocks: call it off the main thread.
 *
 * It leaves three things to the app: to read and write JSON, to repeat a 502 or 504 without Retry-After, and to refresh
 * the token and repeat the request after a 401 with the code `session-expired`.
 *
 * @param token gives the session token of the signed-in user, for each attempt
 */
class GatewayClient(baseUrl: String, private val token: () -> String) {
    private val base = baseUrl.trimEnd('/')
    var connectTimeoutMs = 3_000
    /** For each read. Longer than the gateway's own deadline, COMETCHAT_DEADLINE_MS. */
    var readTimeoutMs = 5_000
    /** The longest that a call waits because of Retry-After, in all. */
    var longestWaitMs = 10_000L

    /**
     * Sends a request. Repeats it up to twice after a 408, 429, 502, 503 or 504 with Retry-After. HttpURLConnection may
     * repeat a request by itself if its connection closes.
     *
     * @param method GET, PUT or PATCH. PATCH works on Android; other JVMs throw a ProtocolException
     * @param path with its query, such as `/me/conversations/tags`
     * @param body JSON; none for GET
     * @throws java.io.IOException where no answer came. Sending the same request again is safe
     * @throws InterruptedException where the thread is interrupted during a wait
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
        val connection = URL(base + path).openConnection() as HttpURLConnection
        try {
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
            val seconds = connection.getHeaderField("Retry-After")?.toLongOrNull()?.coerceAtMost(86_400)
            return Pair(Reply(status, text), seconds?.takeIf { status in TRANSIENT && it >= 0 }?.times(1000))
        } finally {
            connection.disconnect()
        }
    }
}
