#include "agent/http/tls.h"

#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

bool http_tls_failed(CURLcode code) {
  static const CURLcode codes[] = {
      CURLE_SSL_CONNECT_ERROR,    CURLE_PEER_FAILED_VERIFICATION,
      CURLE_SSL_CERTPROBLEM,      CURLE_SSL_CIPHER,
      CURLE_SSL_CACERT_BADFILE,   CURLE_SSL_ISSUER_ERROR,
      CURLE_SSL_CRL_BADFILE,      CURLE_SSL_ENGINE_NOTFOUND,
      CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_INVALIDCERTSTATUS,
      CURLE_SSL_CLIENTCERT,
  };
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    if (code == codes[i]) {
      return true;
    }
  }
  return false;
}

static bool unknown_issuer(long verify) {
  return verify == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
         verify == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
         verify == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
         verify == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
         verify == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN || verify == X509_V_ERR_CERT_UNTRUSTED ||
         verify == X509_V_ERR_INVALID_CA || verify == X509_V_ERR_CERT_SIGNATURE_FAILURE ||
         verify == X509_V_ERR_AKID_SKID_MISMATCH;
}

static const char *advice(CURLcode code, long verify, const char *detail) {
  if (verify == X509_V_ERR_CERT_HAS_EXPIRED) {
    return "a certificate of its chain has expired; renew it there (or set this machine's clock)";
  }
  if (verify == X509_V_ERR_CERT_NOT_YET_VALID) {
    return "a certificate of its chain is not valid yet; compare the clocks of both machines";
  }
  if (unknown_issuer(verify)) {
    return "its certificate is not signed by an accepted CA; name the CA's file in cacert "
           "(OS_CACERT)";
  }
  /* The name is compared by libcurl, after OpenSSL accepted the chain. */
  if (code == CURLE_PEER_FAILED_VERIFICATION && strstr(detail, "match") != NULL) {
    return "its certificate is for another name; use a name that stands in the certificate";
  }
  if (code == CURLE_SSL_CACERT_BADFILE) {
    return "the cacert file holds no usable certificate";
  }
  if (code == CURLE_SSL_CERTPROBLEM) {
    return "the client certificate or key (cert, key) cannot be used";
  }
  return "the handshake failed; TLS 1.2 or newer is needed, and https only where https is served";
}

void http_tls_words(CURLcode code, long verify, const char *where, const char *detail, char *out,
                    size_t n) {
  (void)snprintf(out, n, "TLS with %s: %s [%s]", where, advice(code, verify, detail), detail);
}
