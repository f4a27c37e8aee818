#include "base/pem.h"

#include "certificate.h"
#include "suites.h"

#include "../integration/check.h"

#define BEGIN  CERTIFICATE_BEGIN
#define LINE_1 CERTIFICATE_LINE_1
#define LINE_2 CERTIFICATE_LINE_2
#define LINE_3 CERTIFICATE_LINE_3
#define END    CERTIFICATE_END
#define WHOLE  CERTIFICATE
#define KEY    "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"

static void test_certificates_are_counted(void)
{
    static const struct {
        const char *name;
        const char *text;
        long long count;
    } rows[] = {
        {"nothing",                   "",                                                     0},
        {"a word",                    "certificate",                                          0},
        {"one",                       WHOLE,                                                  1},
        {"two",                       WHOLE WHOLE,                                            2},
        {"comments, a key",           "# the root\n" WHOLE "\n" KEY WHOLE "# end\n",          2},
        {"a byte order mark's line",  "\xef\xbb\xbf\n" WHOLE,                                 1},
        {"no newline at the end",     BEGIN LINE_1 LINE_2 LINE_3 "-----END CERTIFICATE-----", 1},
        {"CR LF",
         "-----BEGIN CERTIFICATE-----\r\n"
         "MIGBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n" LINE_2 LINE_3
         "-----END CERTIFICATE-----\r\n",                                                     1},
        {"a key alone",               KEY,                                                    0},
        {"no end",                    BEGIN LINE_1 LINE_2 LINE_3,                             0},
        {"no end before the next",    BEGIN LINE_1 LINE_2 LINE_3 WHOLE,                       0},
        {"the second has no end",     WHOLE BEGIN LINE_1,                                     0},
        {"the second is damaged",     WHOLE BEGIN LINE_1 LINE_3 END,                          0},
        {"empty",                     BEGIN END,                                              0},
        {"a line is missing",         BEGIN LINE_1 LINE_3 END,                                0},
        {"a line too many",           BEGIN LINE_1 LINE_2 LINE_2 LINE_3 END,                  0},
        {"no digit",                  BEGIN LINE_1 "*" LINE_2 LINE_3 END,                     0},
        {"a blank in a line",         BEGIN LINE_1 " " LINE_2 LINE_3 END,                     0},
        {"digits behind the padding", BEGIN "MIGBAA==" LINE_1 LINE_2 LINE_3 END,              0},
        {"no sequence",               BEGIN LINE_2 LINE_2 LINE_3 END,                         0},
        {"folded into one line",
         "-----BEGIN CERTIFICATE----- MIGBAAAA -----END "
         "CERTIFICATE-----",                                                                  0},
        {"newlines by name",
         "-----BEGIN CERTIFICATE-----\\nMIGBAAAA\\n-----END "
         "CERTIFICATE-----\\n",                                                               0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_NUMBER(rows[i].name, "certificates", rows[i].count,
                     (long long)pem_count_certificates(rows[i].text));
}

static void test_text_is_no_path(void)
{
    CU_ASSERT_TRUE(pem_is_text(WHOLE));
    CU_ASSERT_TRUE(pem_is_text("\n " WHOLE));
    CU_ASSERT_TRUE(pem_is_text(KEY));
    CU_ASSERT_TRUE(pem_is_text("-----BEGIN CERTIFICATE----- folded"));
    CU_ASSERT_FALSE(pem_is_text(""));
    CU_ASSERT_FALSE(pem_is_text("/etc/ssl/-----BEGIN CERTIFICATE-----"));
}

CU_TestInfo pem_tests[] = {
    {"certificates are counted", test_certificates_are_counted},
    {"text is no path",          test_text_is_no_path         },
    CU_TEST_INFO_NULL,
};
