// What llama.cpp says of GBNF grammars and texts; mod.rs tells the form of input and output. Each grammar is read in a
// process of its own, which may take 2 s and 1.5 GB, and another one goes on behind the text that took more.

#include "llama-grammar.h"

#include <cstdio>
#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static std::string decoded(const std::string & hex) {
    std::string bytes;
    for (size_t i = 0; i + 1 < hex.size(); i += 2) {
        bytes.push_back((char) std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    return bytes;
}

// The input is valid UTF-8.
static std::vector<uint32_t> code_points(const std::string & text) {
    std::vector<uint32_t> points;
    for (size_t i = 0; i < text.size();) {
        unsigned char first = text[i];
        int           n     = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
        uint32_t      point = n == 1 ? first : first & (0x7f >> n);
        for (int k = 1; k < n; k++) {
            point = point << 6 | (text[i + k] & 0x3f);
        }
        points.push_back(point);
        i += n;
    }
    return points;
}

static char answer(const llama_grammar & grammar, const std::string & text) {
    llama_grammar * copy = llama_grammar_clone_impl(grammar);
    char            said = 'p';
    for (uint32_t point : code_points(text)) {
        llama_grammar_accept(copy, point);
        if (llama_grammar_get_stacks(copy).empty()) {
            said = 'n';
            break;
        }
    }
    if (said == 'p') {
        for (const auto & stack : llama_grammar_get_stacks(copy)) {
            if (stack.empty()) {
                said = 'y';
            }
        }
    }
    llama_grammar_free_impl(copy);
    return said;
}

// In the child: answers from the text `first` on; -1 for the grammar itself.
static void answer_all(int out, const std::string & source, const std::vector<std::string> & texts, int first) {
    dup2(open("/dev/null", O_WRONLY), 2);
    rlimit seconds{ 2, 3 };
    setrlimit(RLIMIT_CPU, &seconds);
    rlimit bytes{ 1536ul << 20, 1536ul << 20 };
    setrlimit(RLIMIT_AS, &bytes);
    auto say = [&](char c) {
        if (write(out, &c, 1) != 1) {
            _exit(2);
        }
    };
    try {
        llama_grammar * grammar = llama_grammar_init_impl(nullptr, source.c_str(), "root", false, nullptr, 0, nullptr, 0);
        if (first < 0) {
            say(grammar ? 'I' : 'R');
        }
        for (int i = first < 0 ? 0 : first; grammar && i < (int) texts.size(); i++) {
            say(answer(*grammar, texts[i]));
        }
    } catch (const std::bad_alloc &) {
        say('M');
    } catch (const std::exception &) {
        say('X');
    }
    _exit(0);
}

static std::string in_a_process(const std::string & source, const std::vector<std::string> & texts, int first) {
    int ends[2];
    if (pipe(ends) != 0) {
        perror("pipe");
        exit(2);
    }
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        answer_all(ends[1], source, texts, first);
    }
    close(ends[1]);
    std::string said;
    char        buffer[256];
    for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;) {
        said.append(buffer, n);
    }
    close(ends[0]);
    int status;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) {
        int signal = WTERMSIG(status);
        said.push_back(signal == SIGXCPU || signal == SIGKILL ? 'T' : 'X');
    }
    return said;
}

int main() {
    std::string line;
    while (std::getline(std::cin, line)) {
        size_t                   space = line.find(' ');
        std::vector<std::string> texts(std::stoi(line.substr(0, space)));
        std::string              source = decoded(line.substr(space + 1));
        for (auto & text : texts) {
            std::getline(std::cin, line);
            text = decoded(line);
        }
        std::string said = in_a_process(source, texts, -1);
        while (!said.empty() && said[0] == 'I' && said.size() < 1 + texts.size()) {
            std::string more = in_a_process(source, texts, (int) said.size() - 1);
            said += more.empty() ? "X" : more;
        }
        puts(said.empty() ? "X" : said.c_str());
    }
}
