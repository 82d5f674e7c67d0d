package routes

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"syscall"
)

// unreachable says why there was no answer at PUBLIC_URL.
func (d *doctor) unreachable(err error) {
	at := d.PublicURL.String()
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // without the address, which is said already
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() && !isA[*net.DNSError](err) {
		d.warn(publicCheck, at+" does not answer this machine in time",
			"If browsers reach it, nothing is wrong: some networks keep a machine from its own public address. Else open the firewall for it.")
		return
	}
	d.fail(publicCheck, at+": "+err.Error(), unreachableRemedy(err, d.PublicURL.Hostname()))
}

func unreachableRemedy(err error, host string) string {
	switch {
	case isA[*net.DNSError](err):
		return "Enter " + host + " into the DNS, or correct PUBLIC_URL."
	case errors.Is(err, syscall.ECONNREFUSED):
		return "Nothing listens there: start the web server in front of the app (systemctl start apache2), and see that it listens on that port."
	case errors.Is(err, http.ErrSchemeMismatch), isA[tls.RecordHeaderError](err):
		return "What listens there speaks plain http: turn TLS on in the web server (SSLEngine on), or correct the port in PUBLIC_URL."
	case isA[*tls.CertificateVerificationError](err):
		return ownCertificateRemedy(err, host)
	}
	return "See what the web server in front of the app logs."
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// ownCertificateRemedy says what is to be done about our own certificate.
func ownCertificateRemedy(err error, host string) string {
	if isA[x509.HostnameError](err) {
		return "Get a certificate for " + host + ", or see that the web server takes the virtual host of that name (ServerName)."
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		return "Renew the certificate (certbot renew) and reload the web server; and see that this machine's clock is right."
	}
	return "Browsers will warn as well, unless they know the authority: the web server must send the whole chain (SSLCertificateFile with the intermediate certificates in it). " +
		"For an authority of your own: SSL_CERT_FILE=/etc/ssl/our-ca.pem."
}
