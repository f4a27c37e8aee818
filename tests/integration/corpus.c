/*
 * The corpus: sections 2 to 7 of RFC 9112 from the side of who does not keep to them. Rows that
 * are refused have CLEAR behind them, which must never be carried out.
 */

#include "corpus.h"

/* clang-format off */

/* The connection stays, and so does its place in the stream. */
#define STAYS(name, literal, statuses, todos) \
    RAW_REQUEST(name, literal, statuses, todos, .stays_open = true)
#define CLOSES(name, literal, statuses, todos) \
    RAW_REQUEST(name, literal, statuses, todos, .stays_open = false)
#define REFUSED(name, literal) CLOSES(name, literal, "400", 1)
/* No request at all: closed without a word. */
#define SILENT(name, literal) RAW_REQUEST(name, literal, "", 1, .stays_open = false)
/* 0.9 lets us answer where 1.0 only closes. */
#define SILENT_1_0(name, literal) \
    RAW_REQUEST(name, literal, "", 1, .answers_0_9 = " 400", .todos_0_9 = 1)
/* 0.9 refuses a length or an encoding with blanks behind it. */
#define REFUSED_0_9(name, literal, statuses, todos) \
    RAW_REQUEST(name, literal, statuses, todos, .answers_0_9 = " 400", .todos_0_9 = 1)
/* The client sends no more. */
#define CUT(name, literal, statuses, todos) \
    RAW_REQUEST(name, literal, statuses, todos, .is_cut = true)
/* libmicrohttpd 0.9 does not show how these lines end, so they can't be refused; what is behind
 * them is never carried out all the same. */
#define UNSEEN(name, literal) \
    RAW_REQUEST(name, literal CLEAR, "400", 1, .answers_0_9 = " 201", .todos_0_9 = 2)

/* RFC 9112 has extensions ignored; 1.0 refuses them all. */
#define EXTENDED(name, literal) \
    RAW_REQUEST(name, literal, "400", 1, .answers_0_9 = " 201", .todos_0_9 = 2)

#define LAST "Connection: close\r\n"
#define LIST "GET /todos HTTP/1.1\r\n" HOST "\r\n"
#define JSON "POST /todos HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
#define CREATE JSON "Content-Length: 2\r\n\r\n{}"
#define CHUNKED JSON "Transfer-Encoding: chunked\r\n\r\n"
#define EMPTY_CHUNKS "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"

const struct raw_request corpus[] = {
    /* ---- how long is the body? ---- */
        REFUSED("Content-Length and Transfer-Encoding",
            "POST /todos HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" CLEAR),
        REFUSED("Transfer-Encoding and Content-Length",
            "POST /todos HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
            "Content-Length: 60\r\n\r\n0\r\n\r\n" CLEAR),
        REFUSED("differing lengths, small first",
            "POST /todos HTTP/1.1\r\n" HOST
            "Content-Length: 0\r\nContent-Length: 43\r\n\r\n" CLEAR),
        REFUSED("differing lengths, great first",
            "POST /todos HTTP/1.1\r\n" HOST
            "Content-Length: 43\r\nContent-Length: 0\r\n\r\n" CLEAR),
        REFUSED("equal lengths twice",
            "POST /todos HTTP/1.1\r\n" HOST "Content-Type: application/json\r\nContent-Length: "
            "2\r\nContent-Length: 2\r\n\r\n{}" CLEAR),
        REFUSED("lengths in one field",
            "POST /todos HTTP/1.1\r\n" HOST
            "Content-Type: application/json\r\nContent-Length: 2, 2\r\n\r\n{}" CLEAR),
        REFUSED("gzip", "POST /todos HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n" CLEAR),
        REFUSED("gzip, chunked", "POST /todos HTTP/1.1\r\n" HOST
                             "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" CLEAR),
        REFUSED("chunked, chunked", "POST /todos HTTP/1.1\r\n" HOST
                                "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" CLEAR),
        REFUSED("chunked, identity", "POST /todos HTTP/1.1\r\n" HOST
                                 "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" CLEAR),
        REFUSED("xchunked", "POST /todos HTTP/1.1\r\n" HOST
                        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" CLEAR),
        REFUSED("chunkedx", "POST /todos HTTP/1.1\r\n" HOST
                        "Transfer-Encoding: chunkedx\r\n\r\n0\r\n\r\n" CLEAR),
        REFUSED("identity",
            "POST /todos HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n" CLEAR),
        REFUSED("quoted chunked", "POST /todos HTTP/1.1\r\n" HOST
                              "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n" CLEAR),
        REFUSED("empty Transfer-Encoding",
            "POST /todos HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n" CLEAR),
        REFUSED("Transfer-Encoding twice",
            "POST /todos HTTP/1.1\r\n" HOST
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" CLEAR),
        REFUSED("Transfer-Encoding twice, one odd",
            "POST /todos HTTP/1.1\r\n" HOST
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" CLEAR),
        REFUSED("vertical tab before chunked",
            "POST /todos HTTP/1.1\r\n" HOST "Transfer-Encoding: \x0b"
            "chunked\r\n\r\n0\r\n\r\n" CLEAR),
        REFUSED("HTTP/1.0 with chunked", "POST /todos HTTP/1.0\r\n" HOST
                                     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" CLEAR),
        REFUSED("on GET", "GET /todos HTTP/1.1\r\n" HOST
                      "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" CLEAR),
        REFUSED("on DELETE", "DELETE /todos HTTP/1.1\r\n" HOST
                         "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        REFUSED("negative length",
            "POST /todos HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n" CLEAR),
        REFUSED("signed length",
            "POST /todos HTTP/1.1\r\n" HOST
            "Content-Type: application/json\r\nContent-Length: +2\r\n\r\n{}" CLEAR),
        REFUSED("length of words",
            "POST /todos HTTP/1.1\r\n" HOST "Content-Length: two\r\n\r\n" CLEAR),
        REFUSED("hexadecimal length",
            "POST /todos HTTP/1.1\r\n" HOST "Content-Length: 0x2\r\n\r\n{}" CLEAR),
        REFUSED("length with a tail",
            "POST /todos HTTP/1.1\r\n" HOST "Content-Length: 2 2\r\n\r\n{}" CLEAR),
        REFUSED("empty length", "POST /todos HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n" CLEAR),
        REFUSED("bad chunk size", "POST /todos HTTP/1.1\r\n" HOST
                              "Content-Type: application/json\r\nTransfer-Encoding: "
                              "chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n" CLEAR),
        REFUSED("negative chunk size", "POST /todos HTTP/1.1\r\n" HOST
                                   "Content-Type: application/json\r\nTransfer-Encoding: "
                                   "chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n" CLEAR),
        REFUSED("chunk longer than it says", "POST /todos HTTP/1.1\r\n" HOST
                                         "Content-Type: application/json\r\nTransfer-Encoding: "
                                         "chunked\r\n\r\n2\r\n{}{}\r\n0\r\n\r\n" CLEAR),
        REFUSED("length on a folded line",
            "POST /todos HTTP/1.1\r\n" HOST "Content-Length:\r\n 43\r\n\r\n" CLEAR),
        REFUSED("folded length",
            "POST /todos HTTP/1.1\r\n" HOST "Content-Length: 4\r\n 3\r\n\r\n" CLEAR),
        REFUSED("Transfer-Encoding on a folded line",
            "POST /todos HTTP/1.1\r\n" HOST
            "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" CLEAR),
        REFUSED("length and Transfer-Encoding on a folded line",
            "POST /todos HTTP/1.1\r\n" HOST "Content-Length: 10\r\n"
            "Transfer-Encoding:\r\n\tchunked\r\n\r\n0\r\n\r\n" CLEAR),
        REFUSED("name folded",
            "POST /todos HTTP/1.1\r\n" HOST "Content-\r\n Length: 43\r\n\r\n" CLEAR),
        REFUSED("bare LF behind the chunk's extension", CHUNKED "2;a\n{}\r\n0\r\n\r\n" CLEAR),
        REFUSED("bare LF behind the chunk's size", CHUNKED "2\n{}\r\n0\r\n\r\n" CLEAR),
        REFUSED("bare LF behind a second chunk's size",
            CHUNKED "1\r\n{\r\n1\n}\r\n0\r\n\r\n" CLEAR),
        REFUSED("bare LF behind a chunk", CHUNKED "1\r\n{\n1\r\n}\r\n0\r\n\r\n" CLEAR),
        REFUSED("chunk size of nothing", CHUNKED "\r\n{}\r\n0\r\n\r\n" CLEAR),
        CLOSES("length of 2^64",
                   "POST /todos HTTP/1.1\r\n" HOST
                   "Content-Length: 18446744073709551616\r\n\r\n" CLEAR, "413", 1),
        CLOSES("length over the limit",
                   "POST /todos HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
                   "Content-Length: 2000000\r\n\r\n" CLEAR, "413", 1),
        CLOSES("chunk of 2^68",
                   "POST /todos HTTP/1.1\r\n" HOST
                   "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n" CLEAR, "413", 1),

    STAYS("leading zeros in the length", JSON "Content-Length: 0002\r\n\r\n{}", "201", 2),
    STAYS("blanks before the length", JSON "Content-Length: \t 2\r\n\r\n{}", "201", 2),
    REFUSED_0_9("blanks behind the length", JSON LAST "Content-Length: 2 \t\r\n\r\n{}", "201", 2),
    STAYS("blanks behind the host", "GET /todos HTTP/1.1\r\nHost: a.example \t\r\n\r\n", "200", 1),
    STAYS("no length, no body", JSON "\r\n", "201", 2),
    STAYS("a body of GET", "GET /todos HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello", "200", 1),
    STAYS("a request in the body of GET", "GET /todos HTTP/1.1\r\n" HOST "Content-Length: 43\r\n\r\n" CLEAR, "200", 1),
    STAYS("a request in the body of POST", JSON "Content-Length: 43\r\n\r\n" CLEAR, "400", 1),
    STAYS("a request in the body of an unknown method", "BREW /todos HTTP/1.1\r\n" HOST "Content-Length: 43\r\n\r\n" CLEAR, "405", 1),
    STAYS("a header like a length", JSON "Content_Length: 43\r\n\r\n", "201", 2),
    STAYS("a header like an encoding", JSON "Transfer_Encoding: chunked\r\n\r\n", "201", 2),
    STAYS("a length that is hop-by-hop", JSON "Connection: Content-Length\r\nContent-Length: 2\r\n\r\n{}", "201", 2),
    CUT("half a body", JSON "Content-Length: 3\r\n\r\n{}", "", 1),
    CUT("half a head", "DELETE /todos HTTP/1.1\r\n" HOST, "", 1),
    REFUSED("length with a comma", JSON "Content-Length: 2,\r\n\r\n{}" CLEAR),
    REFUSED("length with a point", JSON "Content-Length: 2.0\r\n\r\n{}" CLEAR),
    REFUSED("length with an exponent", JSON "Content-Length: 2e0\r\n\r\n{}" CLEAR),
    REFUSED("length behind a form feed", JSON "Content-Length: \x0c" "2\r\n\r\n{}" CLEAR),
    REFUSED("chunked behind an empty element", JSON "Transfer-Encoding: , chunked\r\n\r\n0\r\n\r\n" CLEAR),
    REFUSED("chunked before an empty element", JSON "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n" CLEAR),
    REFUSED("chunked with a parameter", JSON "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n" CLEAR),
    REFUSED("chunked with a byte above ASCII", JSON "Transfer-Encoding: chunked\xa0\r\n\r\n0\r\n\r\n" CLEAR),
    REFUSED("chunked with a NUL", JSON "Transfer-Encoding: chunked\0\r\n\r\n0\r\n\r\n" CLEAR),
    REFUSED("HTTP/1.0 with chunked and a length", "POST /todos HTTP/1.0\r\n" HOST "Content-Length: 2\r\n" EMPTY_CHUNKS CLEAR),
    REFUSED("TRACE with a length and chunked", "TRACE /todos HTTP/1.1\r\n" HOST "Content-Length: 2\r\n" EMPTY_CHUNKS CLEAR),

    /* ---- chunks ---- */
    CLOSES("chunked in capitals", JSON "Transfer-Encoding: CHUNKED\r\n\r\n2\r\n{}\r\n0\r\n\r\n" CLEAR, "201", 2),
    CLOSES("blanks before chunked", JSON "Transfer-Encoding: \t chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" CLEAR, "201", 2),
    REFUSED_0_9("blanks behind chunked", JSON "Transfer-Encoding: chunked \t\r\n\r\n2\r\n{}\r\n0\r\n\r\n" CLEAR, "201", 2),
    CLOSES("no blank before chunked", JSON "Transfer-Encoding:chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" CLEAR, "201", 2),
    CLOSES("chunked on GET", "GET /todos HTTP/1.1\r\n" HOST EMPTY_CHUNKS CLEAR, "200", 1),
    CLOSES("a request in a chunk", CHUNKED "2b\r\n" CLEAR "\r\n0\r\n\r\n" CLEAR, "400", 1),
    EXTENDED("chunk extensions", CHUNKED "2;a\r\n{}\r\n0;b=c\r\n\r\n" CLEAR),
    EXTENDED("quoted chunk extension", CHUNKED "2;a=\"b;c\"\r\n{}\r\n0\r\n\r\n" CLEAR),
    CLOSES("leading zeros in a chunk's size", CHUNKED "0002\r\n{}\r\n000\r\n\r\n" CLEAR, "201", 2),
    CLOSES("capital digit", CHUNKED "B\r\n{\"order\":1}\r\n0\r\n\r\n" CLEAR, "201", 2),
    CLOSES("small digit", CHUNKED "b\r\n{\"order\":1}\r\n0\r\n\r\n" CLEAR, "201", 2),
    CLOSES("no chunk but the last", CHUNKED "0\r\n\r\n" CLEAR, "201", 2),
    CLOSES("trailer", CHUNKED "2\r\n{}\r\n0\r\nX: a\r\n\r\n" CLEAR, "201", 2),
    CLOSES("trailer of a length", CHUNKED "2\r\n{}\r\n0\r\nContent-Length: 43\r\n\r\n" CLEAR, "201", 2),
    CLOSES("trailer of an encoding", CHUNKED "2\r\n{}\r\n0\r\nTransfer-Encoding: x\r\n\r\n" CLEAR, "201", 2),
    CUT("no end behind the last chunk", CHUNKED "2\r\n{}\r\n0\r\n", "", 1),
    CUT("no last chunk", CHUNKED "2\r\n{}\r\n", "", 1),
    CUT("chunk shorter than it says", CHUNKED "9\r\n{}\r\n", "", 1),
    REFUSED("chunk size of 0x", CHUNKED "0x2\r\n{}\r\n0\r\n\r\n" CLEAR),
    REFUSED("chunk size with a plus", CHUNKED "+2\r\n{}\r\n0\r\n\r\n" CLEAR),
    REFUSED("blank before a chunk's size", CHUNKED " 2\r\n{}\r\n0\r\n\r\n" CLEAR),
    REFUSED("blank behind a chunk's size", CHUNKED "2 \r\n{}\r\n0\r\n\r\n" CLEAR),
    REFUSED("point in a chunk's size", CHUNKED "2.0\r\n{}\r\n0\r\n\r\n" CLEAR),
    REFUSED("NUL behind a chunk's size", CHUNKED "2\0\r\n{}\r\n0\r\n\r\n" CLEAR),
    REFUSED("bare CR behind a chunk's size", CHUNKED "2\r{}\r\n0\r\n\r\n" CLEAR),
    REFUSED("nothing behind a chunk", CHUNKED "2\r\n{}0\r\n\r\n" CLEAR),
    UNSEEN("bare LF behind the last chunk's size", CHUNKED "2\r\n{}\r\n0\n\r\n"),
    UNSEEN("bare LF behind the last chunk's extension", CHUNKED "2\r\n{}\r\n0;a\n\r\n"),
    UNSEEN("bare LF for the chunks' empty line", CHUNKED "2\r\n{}\r\n0\r\n\n"),
    UNSEEN("bare LF behind a trailer", CHUNKED "2\r\n{}\r\n0\r\nX: a\n\r\n"),

    /* ---- the head ---- */
        REFUSED("no Host", "DELETE /todos HTTP/1.1\r\n\r\n" CLEAR),
        REFUSED("two Hosts", "DELETE /todos HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" CLEAR),
        REFUSED("equal Hosts", "DELETE /todos HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n" CLEAR),
        REFUSED("control byte", "DELETE /todos HTTP/1.1\r\n" HOST "X-A: a\x01"
                            "b\r\n\r\n" CLEAR),
        REFUSED("escape byte", "DELETE /todos HTTP/1.1\r\n" HOST "X-A: \x1b[0m\r\n\r\n" CLEAR),
        REFUSED("delete byte", "DELETE /todos HTTP/1.1\r\n" HOST "X-A: a\x7f"
                           "b\r\n\r\n" CLEAR),
        REFUSED("control byte in Host", "DELETE /todos HTTP/1.1\r\nHost: a\x01\r\n\r\n" CLEAR),
        REFUSED("blank before the colon",
            "POST /todos HTTP/1.1\r\n" HOST "Content-Length : 43\r\n\r\n" CLEAR),
        REFUSED("blank before the colon of Transfer-Encoding",
            "POST /todos HTTP/1.1\r\n" HOST
            "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" CLEAR),
        REFUSED("tab before the colon", "DELETE /todos HTTP/1.1\r\n" HOST "X-A\t: b\r\n\r\n" CLEAR),
        REFUSED("blank in a name", "DELETE /todos HTTP/1.1\r\n" HOST "X A: b\r\n\r\n" CLEAR),
        REFUSED("empty name", "DELETE /todos HTTP/1.1\r\n" HOST ": x\r\n\r\n" CLEAR),
        REFUSED("empty name first", "DELETE /todos HTTP/1.1\r\n: x\r\n" HOST "\r\n" CLEAR),
        REFUSED("empty name and value", "DELETE /todos HTTP/1.1\r\n" HOST ":\r\n\r\n" CLEAR),
        REFUSED("empty name before a length",
            "POST /todos HTTP/1.1\r\n" HOST ": x\r\nContent-Length: 43\r\n\r\n" CLEAR),
        REFUSED("no colon", "DELETE /todos HTTP/1.1\r\n" HOST "X\r\n\r\n" CLEAR),
        REFUSED("NUL in a value", "DELETE /todos HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n" CLEAR),
        REFUSED("two NULs in a value", "DELETE /todos HTTP/1.1\r\n" HOST "X: a\0\0b\r\n\r\n" CLEAR),
        REFUSED("NULs at a value's end",
            "DELETE /todos HTTP/1.1\r\n" HOST "X: a\0\0\r\n\r\n" CLEAR),
        REFUSED("NULs before a value", "DELETE /todos HTTP/1.1\r\n" HOST "X: \0\0a\r\n\r\n" CLEAR),
        REFUSED("NUL in a name", "DELETE /todos HTTP/1.1\r\n" HOST "X\0Y: a\r\n\r\n" CLEAR),
        REFUSED("folded header", "DELETE /todos HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n" CLEAR),
        REFUSED("header folded twice",
            "DELETE /todos HTTP/1.1\r\n" HOST "X:\r\n a\r\n\tb\r\n\r\n" CLEAR),
        REFUSED("folded to nothing", "DELETE /todos HTTP/1.1\r\n" HOST "X: a\r\n \r\n\r\n" CLEAR),
        REFUSED("folded request line", "DELETE /todos HTTP/1.1\r\n " HOST "\r\n" CLEAR),
        REFUSED("bare LF behind a header", "DELETE /todos HTTP/1.1\r\n" HOST "X: a\n\r\n" CLEAR),
        REFUSED("bare LF behind the first header",
            "DELETE /todos HTTP/1.1\r\nHost: a.example\nX: a\r\n\r\n" CLEAR),
        REFUSED("bare LF behind the request line", "DELETE /todos HTTP/1.1\n" HOST "\r\n" CLEAR),
        REFUSED("bare LF for the empty line", "DELETE /todos HTTP/1.1\r\n" HOST "\n" CLEAR),
        REFUSED("bare CR in a value", "DELETE /todos HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n" CLEAR),
        REFUSED("blank in the target", "DELETE /todos x HTTP/1.1\r\n" HOST "\r\n" CLEAR),
        REFUSED("blank in the query", "DELETE /todos?a b HTTP/1.1\r\n" HOST "\r\n" CLEAR),
        REFUSED("two blanks", "DELETE  /todos HTTP/1.1\r\n" HOST "\r\n" CLEAR),
        REFUSED("blank behind the version", "DELETE /todos HTTP/1.1 \r\n" HOST "\r\n" CLEAR),
        REFUSED("no version", "DELETE /todos\r\n\r\n" CLEAR),
        REFUSED("version of words", "DELETE /todos HTTP/x\r\n" HOST "\r\n" CLEAR),
        CLOSES("version 2", "DELETE /todos HTTP/2.0\r\n" HOST "\r\n" CLEAR, "505", 1),

    SILENT_1_0("NUL in the target", "DELETE /todos\0x HTTP/1.1\r\n" HOST "\r\n" CLEAR),
    SILENT_1_0("tab behind the method", "DELETE\t/todos HTTP/1.1\r\n" HOST "\r\n" CLEAR),
    REFUSED("tab behind the target", "DELETE /todos\tHTTP/1.1\r\n" HOST "\r\n" CLEAR),
    SILENT("blank before the method", " DELETE /todos HTTP/1.1\r\n" HOST "\r\n" CLEAR),
    REFUSED("two blanks before the version", "DELETE /todos  HTTP/1.1\r\n" HOST "\r\n" CLEAR),
    REFUSED("bare CR in the target", "DELETE /todos\rx HTTP/1.1\r\n" HOST "\r\n" CLEAR),
    REFUSED("control byte in the target", "DELETE /todos?\x01 HTTP/1.1\r\n" HOST "\r\n" CLEAR),
    REFUSED("no target", "DELETE HTTP/1.1\r\n" HOST "\r\n" CLEAR),
    REFUSED("method that is no token", "DEL(TE /todos HTTP/1.1\r\n" HOST "\r\n" CLEAR),
    REFUSED("method with a byte above ASCII", "DEL\xc3\xa9 /todos HTTP/1.1\r\n" HOST "\r\n" CLEAR),
    REFUSED("method with a control byte", "DEL\x01 /todos HTTP/1.1\r\n" HOST "\r\n" CLEAR),
    REFUSED("byte above ASCII in a name", "DELETE /todos HTTP/1.1\r\n" HOST "X\xe9: a\r\n\r\n" CLEAR),
    REFUSED("bracket in a name", "DELETE /todos HTTP/1.1\r\n" HOST "X(: a\r\n\r\n" CLEAR),
    REFUSED("bare CR in a name", "DELETE /todos HTTP/1.1\r\n" HOST "X\rY: a\r\n\r\n" CLEAR),
    REFUSED("bare CR behind a value", "DELETE /todos HTTP/1.1\r\n" HOST "X: a\r\r\n\r\n" CLEAR),
    REFUSED("form feed in a value", "DELETE /todos HTTP/1.1\r\n" HOST "X: a\x0c" "b\r\n\r\n" CLEAR),
    REFUSED("fold before the first header", "DELETE /todos HTTP/1.1\r\n X: a\r\n" HOST "\r\n" CLEAR),
    REFUSED("Host folded", "DELETE /todos HTTP/1.1\r\nHost:\r\n a.example\r\n\r\n" CLEAR),
    STAYS("bytes above ASCII in a value", "GET /todos HTTP/1.1\r\n" HOST "X: \xc3\xa9\xff\r\n\r\n", "200", 1),
    STAYS("a name of all marks", "GET /todos HTTP/1.1\r\n" HOST "!#$%&'*+-.^_`|~: a\r\n\r\n", "200", 1),
    STAYS("a colon in a value", "GET /todos HTTP/1.1\r\n" HOST "X: :a:\r\n\r\n", "200", 1),
    STAYS("Host in capitals", "GET /todos HTTP/1.1\r\nHOST: A.EXAMPLE\r\n\r\n", "200", 1),

    /* ---- versions, other protocols ---- */
    REFUSED("HTTP/0.9", "GET /todos\r\n" CLEAR),
    REFUSED("version in small letters", "DELETE /todos http/1.1\r\n" HOST "\r\n" CLEAR),
    REFUSED("version of another protocol", "DELETE /todos ICY/1.1\r\n" HOST "\r\n" CLEAR),
    REFUSED("version without a point", "DELETE /todos HTTP/11\r\n" HOST "\r\n" CLEAR),
    REFUSED("version of three digits", "DELETE /todos HTTP/1.11\r\n" HOST "\r\n" CLEAR),
    STAYS("version 1.2", "GET /todos HTTP/1.2\r\n" HOST "\r\n", "200", 1),
    STAYS("version 1.9", "GET /todos HTTP/1.9\r\n" HOST "\r\n", "200", 1),
    CLOSES("version 0.9 said", "DELETE /todos HTTP/0.9\r\n" HOST "\r\n" CLEAR, "505", 1),
    CLOSES("version 3.0", "DELETE /todos HTTP/3.0\r\n" HOST "\r\n" CLEAR, "505", 1),
    CLOSES("preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" CLEAR, "505", 1),
    CUT("TLS greeting", "\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03", "", 1),
    SILENT("TLS greeting and a line", "\x16\x03\x01\x02\x01\x01\xfc\x03\x03\r\n\r\n" CLEAR),
    SILENT("greeting of SSH", "SSH-2.0-x\r\n" CLEAR),
    SILENT_1_0("greeting of a proxy", "PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n" CLEAR),
    CLOSES("HTTP/1.0", "GET /todos HTTP/1.0\r\n\r\n" CLEAR, "200", 1),
    STAYS("HTTP/1.0 with keep-alive", "GET /todos HTTP/1.0\r\n" HOST "Connection: keep-alive\r\n\r\n", "200", 1),
    CLOSES("HTTP/1.0 without a length", "POST /todos HTTP/1.0\r\n" HOST "Content-Type: application/json\r\n\r\n" CLEAR, "201", 2),
    CLOSES("HTTP/1.0 with a length", "POST /todos HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}" CLEAR, "201", 2),
    CLOSES("Connection: close", "GET /todos HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n" CLEAR, "200", 1),
    CLOSES("blanks behind Connection: close", "GET /todos HTTP/1.1\r\n" HOST "Connection: close \t\r\n\r\n" CLEAR, "200", 1),
    CLOSES("Connection: CLOSE", "GET /todos HTTP/1.1\r\n" HOST "Connection: CLOSE\r\n\r\n" CLEAR, "200", 1),
    CLOSES("Connection: x, close", "GET /todos HTTP/1.1\r\n" HOST "Connection: x, close\r\n\r\n" CLEAR, "200", 1),
    STAYS("Upgrade", "GET /todos HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "200", 1),

    /* ---- forms of the target, methods ---- */
        CLOSES("empty Host", "DELETE /todos HTTP/1.1\r\nHost:\r\n" LAST "\r\n", "400", 1),
        CLOSES("bad Host", "DELETE /todos HTTP/1.1\r\nHost: a b\r\n" LAST "\r\n", "400", 1),
        CLOSES("Host with a path", "DELETE /todos HTTP/1.1\r\nHost: a/b\r\n" LAST "\r\n", "400", 1),
        CLOSES("HTTP/1.0 without Host", "GET /todos HTTP/1.0\r\n\r\n", "200", 1),
        CLOSES("HTTP/1.0 with Host", "GET /todos HTTP/1.0\r\n" HOST "\r\n", "200", 1),
        CLOSES("tab in a value", "GET /todos HTTP/1.1\r\n" HOST "X: a\tb\r\n" LAST "\r\n", "200", 1),
        CLOSES("blanks around values",
                   "GET /todos HTTP/1.1\r\n" HOST "X:\t a\r\nY:b\r\nZ:  \r\nA:\r\n" LAST "\r\n", "200", 1),
        CLOSES("cookies", "GET /todos HTTP/1.1\r\n" HOST "Cookie: a=b; c\r\n" LAST "\r\n", "200", 1),
        CLOSES("an empty line before", "\r\nGET /todos HTTP/1.1\r\n" HOST LAST "\r\n", "200", 1),
        CLOSES("a query of many parts",
                   "GET /todos?a=b&c+d=%20&&e= HTTP/1.1\r\n" HOST LAST "\r\n", "200", 1),
        CLOSES("bytes above ASCII in the target",
                   "GET /todos?\xc3\xa9 HTTP/1.1\r\n" HOST LAST "\r\n", "200", 1),
        CLOSES("%00 after the list", "DELETE /todos%00 HTTP/1.1\r\n" HOST LAST "\r\n", "404", 1),
        CLOSES("%00 before a suffix", "DELETE /todos%00.json HTTP/1.1\r\n" HOST LAST "\r\n", "404", 1),
        CLOSES("%00 in the root", "GET /%00 HTTP/1.1\r\n" HOST LAST "\r\n", "404", 1),
        CLOSES("CONNECT", "CONNECT a.example:443 HTTP/1.1\r\n" HOST LAST "\r\n", "405", 1),
        CLOSES("CONNECT of a path", "CONNECT /todos HTTP/1.1\r\n" HOST LAST "\r\n", "405", 1),
        CLOSES("TRACE", "TRACE /todos HTTP/1.1\r\n" HOST LAST "\r\n", "405", 1),
        CLOSES("absolute target",
                   "GET http://a.example/todos HTTP/1.1\r\n" HOST LAST "\r\n", "200", 1),
        CLOSES("no slash", "DELETE todos HTTP/1.1\r\n" HOST LAST "\r\n", "404", 1),

    STAYS("the server itself", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "200", 1),
    STAYS("asterisk form of GET", "GET * HTTP/1.1\r\n" HOST "\r\n", "404", 1),
    STAYS("absolute form of another host", "GET http://b.example/todos HTTP/1.1\r\n" HOST "\r\n", "200", 1),
    STAYS("absolute form of a bad host", "DELETE http://u@b/todos HTTP/1.1\r\n" HOST "\r\n", "400", 1),
    STAYS("absolute form of another protocol", "DELETE ftp://a.example/todos HTTP/1.1\r\n" HOST "\r\n", "404", 1),
    REFUSED("absolute form without Host", "DELETE http://a.example/todos HTTP/1.1\r\n\r\n" CLEAR),
    STAYS("authority form of DELETE", "DELETE a.example:80 HTTP/1.1\r\n" HOST "\r\n", "404", 1),
    STAYS("fragment", "DELETE /todos#x HTTP/1.1\r\n" HOST "\r\n", "404", 1),
    STAYS("two slashes", "DELETE //todos HTTP/1.1\r\n" HOST "\r\n", "404", 1),
    STAYS("dot segments", "GET /x/../todos HTTP/1.1\r\n" HOST "\r\n", "200", 1),
    STAYS("backslash", "DELETE /x/..\\todos HTTP/1.1\r\n" HOST "\r\n", "404", 1),
    STAYS("method in small letters", "get /todos HTTP/1.1\r\n" HOST "\r\n", "200", 1),
    STAYS("unknown method", "BREW /todos HTTP/1.1\r\n" HOST "\r\n", "405", 1),
    STAYS("unknown method of marks", "!#$%&'*+-.^_`|~ /todos HTTP/1.1\r\n" HOST "\r\n", "405", 1),

    /* ---- expectations ---- */
    STAYS("100-continue and the body", JSON "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n{}", "201", 2),
    STAYS("100-continue without a body", "GET /todos HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n\r\n", "200", 1),
    STAYS("another expectation", JSON "Content-Length: 2\r\nExpect: tea\r\n\r\n{}", "201", 2),
    CLOSES("100-continue of HTTP/1.0", "POST /todos HTTP/1.0\r\n" HOST "Content-Type: application/json\r\n"
           "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n{}" CLEAR, "201", 2),
    REFUSED("100-continue with two lengths", JSON "Expect: 100-continue\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}" CLEAR),

    /* ---- one after another ---- */
    STAYS("two requests", LIST LIST, "200 200", 1),
    STAYS("three requests", LIST CREATE LIST, "200 201 200", 2),
    STAYS("HEAD before another", "HEAD /todos HTTP/1.1\r\n" HOST "\r\n" LIST, "200 200", 1),
    STAYS("unknown path between", LIST "GET /nope HTTP/1.1\r\n" HOST "\r\n" LIST, "200 404 200", 1),
    STAYS("bad JSON between", LIST JSON "Content-Length: 1\r\n\r\n{" LIST, "200 400 200", 1),
    STAYS("bad Host between", LIST "GET /todos HTTP/1.1\r\nHost: a_b\r\n\r\n" LIST, "200 400 200", 1),
    CLOSES("no Host between", LIST "DELETE /todos HTTP/1.1\r\n\r\n" CLEAR, "200 400", 1),
    CLOSES("a fold between", CREATE "DELETE /todos HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n" CLEAR, "201 400", 2),
    CLOSES("chunks between", LIST CHUNKED "2\r\n{}\r\n0\r\n\r\n" CLEAR, "200 201", 2),
    CLOSES("the last one between", LIST "GET /todos HTTP/1.1\r\n" HOST LAST "\r\n" CLEAR, "200 200", 1),
    STAYS("an empty line between", LIST "\r\n" LIST, "200 200", 1),
    STAYS("an empty line behind a body", CREATE "\r\n" LIST, "201 200", 2),
    RAW_REQUEST("two empty lines before", "\r\n\r\nGET /todos HTTP/1.1\r\n" HOST LAST "\r\n", "", 1,
                .answers_0_9 = " 200", .todos_0_9 = 1), /* 1.0 skips one, as RFC 9112 has it */
    RAW_REQUEST("a bare LF before", "\nGET /todos HTTP/1.1\r\n" HOST LAST "\r\n", "", 1,
                .answers_0_9 = " 200", .todos_0_9 = 1), /* not even that for 1.0 */
};

const size_t corpus_size = sizeof(corpus) / sizeof(corpus[0]);
