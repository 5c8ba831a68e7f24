import faulthandler,hashlib as L,io,lzma,numpy as M,os as h,signal,subprocess,sys as d,time as l,torch as e,torch.distributed as c,torch.nn.functional as u,traceback
from functools import partial as t
from pathlib import Path as s
from sentencepiece import SentencePieceProcessor
from torch import nn as N
from typing import NamedTuple as a
def ec():
 t=h.environ.get;o=int(t('RANK',0));a=int(t('WORLD_SIZE',1));r=int(t('LOCAL_RANK',0))
 if a<1 or 8%a:raise ValueError(f"WORLD_SIZE is {a}, wanted a divisor of 8, the micro-batches of a step")
 return o,a,r
def eu():
 global i,oU,m,n;o,a,r=ec();t='gloo';s=e.device('cpu')
 if e.cuda.is_available():t='nccl';s=e.device('cuda',r);e.cuda.set_device(s)
 if a>1:c.init_process_group(t)
 m=o;n=a;oU=r;i=s
def em():
 if n>1:c.destroy_process_group()
def ef(a):
 if n>1:c.all_reduce(a)
 return a
def ep(value):
 a=[value]*n
 if n>1:c.all_gather_object(a,value)
 return a
def eg(value):
 if n==1:return value
 a=e.tensor(value,dtype=e.float64,device=i);c.all_reduce(a,c.ReduceOp.MAX);return a.item()
def ew(a):
 if a.grad is None:a.grad=e.zeros_like(a)
 return a.grad
def ey(s):
 t=[ew(a)for a in s]
 if n>1:
  i=e.cat([r.flatten()for r in t]);c.all_reduce(i);o=(i/n).split([r.numel()for r in t])
  for(r,h)in zip(t,o,strict=True):r.copy_(h.view_as(r))
def eb(t,h):
 if n>1:return c.reduce_scatter(t,list(h.chunk(n)),async_op=True)
 t.copy_(h)
def ev(h,t):
 if n>1:return c.all_gather(list(h.chunk(n)),t,async_op=True)
 h.copy_(t)
def ek(e):
 if e is not None:e.wait()
def ex(o,t):
 if not o.h:return t,
 e=range(o.shape[0]//len(o.h));return tuple(a.format(n)for a in o.h for n in e)
def y(r):
 h=[]
 for o in r:
  if o.h:
   e=range(o.shape[0]//len(o.h))
   for(a,s)in zip(o.h,o.init,strict=True):h+=[(a.format(n),s,o)for n in e]
  else:h+=[(t,o.init,o)for t in o.s()]
 return h
def ej(h,r,a):
 for o in r:
  d=a if o.dtype=='activation'else e.float32
  for t in o.s():
   *l,u=t.split('.');s=h
   for n in l:
    if n not in s._modules:s.add_module(n,N.ModuleList())
    s=s._modules[n]
   s.register_parameter(u,N.Parameter(e.empty(o.shape,dtype=d,device=i)))
def eq(t):n=L.sha256(f"{V}:{t}".encode()).digest();return e.Generator().manual_seed(int.from_bytes(n[:7],'little'))
def ez(r,h):
 i=b(g.state_dict(),r)
 for(t,s,p)in y(r):o=e.empty(i[t].shape);s(o,eq(t),h);i[t].copy_(o)
def b(i,r):
 s=[]
 for o in r:
  for t in o.s():s+=i[t].unbind()if o.h else[i[t]]
 return{t:a for((t,p,p),a)in zip(y(r),s,strict=True)}
def v(tensor,generator,ledger):tensor.zero_()
def k(tensor,generator,ledger):tensor.fill_(1.)
def j(tensor,generator,ledger,value):tensor.fill_(value)
def eA(tensor,generator,ledger,std):tensor.normal_(.0,std,generator=generator)
class eB:
 def __init__(e):e.B=None;e.H=None;u=[(g.get_parameter(t),ex(o,t),o)for o in ea for t in o.s()];e.tensors=[a for(a,r,o)in u];e.names=[r for(a,r,o)in u];e.replicated=[a for(a,r,o)in u if o.reduction=='replicated'];e.c=[a for(a,r,o)in u if o.u];e.v=[r for(a,r,o)in u if o.u];s=[a for(a,r,o)in u if o.group=='matrix'];h=[r for(a,r,o)in u if o.group=='matrix'];os(s,h);i=[(n,[a for(a,r,o)in u if o.group==n.name],[r for(a,r,o)in u if o.group==n.name])for n in oj];aX(i)
 @e.no_grad()
 def step(e,scalars,ledger):
  for n in ox:n(e.tensors,e.names,ledger)
  oh();ey(e.replicated);aY(scalars,ledger);ol(scalars,ledger)
  for a in e.tensors:a.grad=None
def eC(t):
 if e.cuda.is_available():return e.compile(t,dynamic=False,fullgraph=True)
 return t
def eD(t):
 global P
 if P is None:P=eC(oz)
 return P(t.bfloat16(),5)
def eE():return{}
def eF(t,r):t=eD(t).contiguous();return t
def eG(a,t,r,e,i,h):eH(a,t,r,.025*i.o,e,i,h)
def eH(a,t,r,o,e,i,h):
 for n in ov:n(a,t,r,o,i,h)
 a.add_(t,alpha=-o*e)
def eI(r,a,l):a.mul_(l).add_(r);return r.add(a,alpha=l)
def eJ(a):return max(1,a.shape[-2]/a.shape[-1])**.5
def eK():
 t=''
 try:oy()
 except(OSError,ValueError)as s:t=f"{ei}: {s}"
 for(o,a)in enumerate(ep(t)):
  if a:raise ValueError(f"{a} (on rank {o})"if o else a)
def eL(a):
 if a is not None:o(f"prepared {ei}: {a}")
class Param(a):
 name:a;shape:a;group:a;z:a;init:a=None;q:a='';dtype:a='float32';layers:a=0;h:a=();reduction:a='replicated';C:a='';u:a=True;G:a=True;export:a='yes';g:a=0
 def s(e):return[e.name.format(n)for n in range(e.g,e.layers)]or[e.name]
class Group(a):name:a;lr:a;weight_decay:a=.0
class q:
 def __init__(e):e.done={}
 def count(e,plugin,unit,number=1):e.done[plugin,unit]=e.done.get((plugin,unit),0)+number
 def i(e,i,a):e.done[i,'']=a
 def A(e,i):return', '.join(f"{n} {a}".strip()for((t,a),n)in e.done.items()if t==i and n)
def eM(o,n,a):return(o/z(n)).round().clamp(-a,a).to(e.int8)
def z(n):return n[:,None]if n.ndim else n
def eN(o,n,i):return(o.float()*z(n).float()).to(i)
def eO(o):
 if o.ndim==2:n=(o.abs().amax(1)/31).clamp_min(1/31)
 else:n=o.abs().amax()/31;n=n if n>0 else n+1
 n=n.half();return eM(o,n.float(),31),n
def eP(o):
 if o.ndim==2:t=e.quantile(o.abs(),.9999984,1);n=(t/127).clamp_min(1/127);a=n.half()
 else:t=e.quantile(o.abs().flatten(),.9999984);a=n=t/127 if t>0 else t+1
 t=z(t);return eM(o.clamp(-t,t),n,127),a
def eQ(o,i):
 if'kept'in o:return o['kept'].to(i)
 return eN(o['codes'],o['step'],i)
def A(t,n):
 a=h.environ.get(t,n)
 try:return int(a)
 except ValueError:raise ValueError(f"{t} is {a!r}, wanted a whole number like {n!r}")from None
def eR():
 a=h.environ.get('MAX_WALLCLOCK_SECONDS',6e2)
 try:return float(a)
 except ValueError:raise ValueError(f"MAX_WALLCLOCK_SECONDS is {a!r}, wanted seconds like 600.0")from None
def eS():global R,S,f,T,oD,U,V,W,oE,oF;t=h.environ.get;R=t('DATA_PATH','./data/datasets/fineweb10B_sp1024');S='export'in d.argv;f=A('ITERATIONS',20000);T=eR();oD=t('RUN_ID',str(l.time_ns()));U='score'in d.argv;V=A('SEED',1337);W=t('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model');oE=A('TRAIN_LOG_EVERY',200);oF=A('VAL_LOSS_EVERY',1000)
class Score(a):val_loss:a;r:a;D:a;p:a
def eT(n):
 if n.numel():raise ValueError(f"target {n[0]} of the validation stream is not scored")
def eU(n):o=w[n].to(i,e.int64);a=o[:,:-1].contiguous();return a,o[:,1:].contiguous(),eV(a)
def eV(o):return{}
def eW(t,p,n,r):
 d=n[:,1:];t[d[r]]=p;tL(f"eval: batch {p}");a,s,l=eU(n)
 with e.set_grad_enabled(False):c=oI(a,s,phases=tO(),fields=l,reduction='none',adapter=None)
 u=aS(a,s,d.to(i));g=r.to(i);o=c.detach().double()*g,g,u*g;return c,e.stack([h.sum().double()for h in o])
def eX(t,a):
 if n>1:t=t.to(i);c.all_reduce(t,a)
 return t.cpu()
def eY(t,o,s):
 eT(1+(t[1:]==0).nonzero().flatten());e,n,a=ef(o).tolist()
 if n>len(t)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(e/n,e/.6931471805599453/a,int(n),1e3*(l.perf_counter()-s))
def eZ(scored_at):
 if m==0:l=f"logs/{oD}.scores.npz";M.savez_compressed(l,scored_at=scored_at.numpy())
class Span(a):start:a;end:a;g:a
def te(a):return[Span(o,o+2048,0)for o in range(0,(a-1)//2048*2048,2048)]
def tt(a):return a[len(a)*m//n:len(a)*(m+1)//n]
def ta(a):
 n=e.zeros(es,2049,dtype=e.int64);r=e.zeros(es,2048,dtype=e.bool)
 for(i,(o,t,l))in enumerate(a):n[i,:t+1-o]=e.arange(o,t+1);r[i,l:t-o]=True
 return n,r
def B(a):
 s=l.perf_counter();g.eval();a=tt(a);t=e.zeros(len(w),dtype=e.int32);o=e.zeros(3,dtype=e.float64,device=i)
 for(d,h)in enumerate(range(0,len(a),es),1):n,r=ta(a[h:h+es]);o+=eW(t,d,n,r)[1]
 g.train();t=eX(t,c.ReduceOp.MAX);return eY(t,o,s),t
def to():return{t:o.z for(t,p,o)in y(ea)if o.export!='drop'}
def ti(i,l,u=0):
 e=to();n={}
 for(t,r)in e.items():a=i[t];h=l.get(t,{});o=Q[r].encode(t,a,h,p);n[t]={s:d.cpu()for(s,d)in o.items()}
 return tn(n)
def tn(n):return n
def ts(n):return aJ(aN(n))
def tr(data,i):
 t=2**20+sum(8*a.numel()+4096 for a in i.values())
 try:return aO(aK(data,t))
 except Exception as s:raise ValueError(f"the artifact cannot be read: {str(s).partition(chr(10))[0]}")from s
def th(t,o,r,i):a=Q[r].decode(t,o,i);return a
def tl(n,i):
 e=to()
 if n.keys()!=e.keys():raise ValueError("the artifact's tensors are not the model's")
 for(t,r)in e.items():
  try:a=td(t,n[t],r,i[t].dtype)
  except Exception as s:raise ValueError(f"the artifact's {t} cannot be decoded: {s!r}")from s
  if a.shape!=i[t].shape:raise ValueError(f"{t}: shape {[*a.shape]}, wanted {[*i[t].shape]}")
  i[t].copy_(a)
def td(t,o,r,i):return th(t,o,r,i)
def tc(a):
 global X,Y,oG;oG=m;X=m==0;s('logs').mkdir(exist_ok=True);Y=s('logs',a+'.txt')
 if X and not S:Y.write_text('')
 d.excepthook=t(tm,Y);faulthandler.register(signal.SIGTERM,Y.open('a'),chain=True)
def o(a):
 if X:
  print(a,flush=True)
  with Y.open('a')as t:print(a,file=t)
def tu(a):
 if X:o(f"error: {a}")
 elif a not in Y.read_text():
  with Y.open('a')as t:print(f"rank {oG}: error: {a}",file=t)
def tm(path,kind,s,trace):
 with path.open('a')as t:traceback.print_exception(s,file=t)
 d.__excepthook__(kind,s,trace)
def tf():
 n=L.sha256(s(d.argv[0]).read_bytes()).hexdigest();a=f"hardware:{h.uname().machine} CPU, {e.get_num_threads()} threads"
 if i.type=='cuda':a=subprocess.getoutput('nvidia-smi')
 o(f"Running Python {d.version}\nRunning PyTorch {e.__version__}\ncode_sha256:{n}\n{a}")
def C():return len(s(d.argv[0]).read_bytes())
ob='final_model.pt'
def D():return Q['mlp'].name
def tp():return s(f"final_model.{D()}.ptz")
def tg(n):
 i=b(g.state_dict(),ea)
 if m==0:s('final_export.pt').unlink(missing_ok=True);E(t(e.save,i),'final_model.pt')
 l=tv()
 if m==0:h=l,p.done,eo,en,ee;E(t(e.save,h),'final_export.pt')
 tw(i,l)
def tw(i,l):
 a=tP();r('diagnostic','val');o(f"diagnostic pre-quantization post-ema val_loss:{a.val_loss:.8f} val_bpb:{a.r:.8f} eval_time:{a.p:.0f}ms")
 if m==0:tk(i,l)
 eg(.0);tj()
def E(n,l):
 a=s('final_model.tmp')
 try:
  n(a)
  with a.open('rb')as t:h.fsync(t.fileno())
  a.replace(l)
 finally:a.unlink(missing_ok=True)
def ty():
 global ee,en,eo;i=b(g.state_dict(),ea);n=tb('final_model.pt');h=tb('final_export.pt');e=[t for t in i if t not in n or n[t].shape!=i[t].shape]
 if e:raise ValueError(f"final_model.pt is of another model: {e[0]} is missing or has another shape")
 for(t,a)in i.items():a.copy_(n[t])
 l,o,eo,en,ee=h;p.done.update(o);tK(ee);tw(i,l)
def tb(l):
 try:return e.load(l,i,weights_only=True)
 except OSError:raise
 except Exception as s:raise ValueError(f"{l} is damaged: {str(s)[:99]!r}")from s
def tv():global Z;l={};Z=False;return l
def tk(i,l):n=ti(i,l,C());r('quantize','none');h=ts(n);r('compress','none');E(t(s.write_bytes,data=h),tp());e=f"{D()}+lzma";o(f"Serialized model: {s(ob).stat().st_size} bytes\nCode size: {C()} bytes\nSerialized model {e}: {len(h)} bytes\nTotal submission size {e}: {len(h)+C()} bytes")
def tx():
 i=b(g.state_dict(),ea)
 for a in i.values():a.zero_()
 h=tp().read_bytes();n=L.sha256(h).hexdigest()
 if U:
  t=''.join(l.read_text()for l in s('logs').glob('*.txt'))
  if'artifact_sha256:'in t and n not in t:raise ValueError('the artifact is not that of the logs in logs/')
 o('artifact_sha256:'+n);tl(tr(h,i),i)
def tj():n=D();tx();r('decode','none');a,t=B(te(len(w)));r('score','val');tq(f"{n}_lzma_roundtrip",a);a,t=B(aW(len(w)));r('score','val');tq(f"{n}_sliding_window",a);eZ(t);p.count('sliding_eval','targets',a.D)
def tq(e,a):o(f"final_{e} val_loss:{a.val_loss:.4f} val_bpb:{a.r:.4f} eval_time:{a.p:.0f}ms\nfinal_{e}_exact val_loss:{a.val_loss:.8f} val_bpb:{a.r:.8f}")
def tz():
 a=[];n=False
 for t in oA:
  e=p.A(t)
  if e and t not in a:o(f"receipt {t}: {e}")
  else:o(f"error: plugin {t} did nothing");n=m==0
 return n
class Progress(a):step:a;k:a;f:a;m:a;E:a;o:a
class Scalars(a):o:a;b:a;momentum:a
def tA(n,t,s):e=t/s if s>0 else n/max(f,1);return Progress(n,f,t,s,e,1.)
class Context(a):
 ids:a;phases:a;training:a;n:a;memo:a;fields:a;d:a;w:a;ledger:a
 def t(e,i,a,n=1):
  if e.ledger is not None:e.ledger.count(i,a,n)
def F(a):return u.rms_norm(a,(a.size(-1),),eps=1.1920929e-07)
def tB(a):return u.pad(a[:,:-1],(0,0)*(a.dim()-2)+(1,0))
def tC(t):
 if'starts'in t.fields:return t.fields['starts']
 if'documents'not in t.fields:return
 a=t.fields['documents'];return u.pad(a[:,1:]!=a[:,:-1],(1,0))
def tD(o):return o
def tE(o,a,s,n,i,t):
 o=tD(o)
 if t.w is not None:t.w(s,n,a)
 return G(u.linear(a,o.to(a.dtype)),a,s,i,t)
def G(s,a,n,i,t):
 if t.d is not None and n in t.d.sites:s=s+t.d.delta(a,n,i)
 return s
def tF(a,t):
 if'rope'not in t.memo:r=a.size(1);i=a.size(3);s=a.device;l=1e4**(-e.arange(0,i,2,dtype=e.float32,device=s)/i);d=e.outer(e.arange(r,dtype=e.float32,device=s),l);t.memo['rope']=d.cos(),d.sin()
 g,u=(n[None,:,None,:].to(a.dtype)for n in t.memo['rope']);o,h=a.chunk(2,-1);return e.cat((o*g+h*u,h*g-o*u),-1)
class GPT(N.Module):
 def __init__(e,r,a):super().__init__();e.F=None;e.B=None;e.records=r;ej(e,r,a)
 def matrices(e):return b(dict(e.named_parameters()),e.records)
 def matrix(e,role,layer,position,ctx):return tD(ctx.n[f"blocks.{layer}.{role}.weight"])
 def l(e,a,s,n,i,t):return tE(t.n[f"blocks.{n}.{s}.weight"],a,s,n,i,t)
 def stem(e,ids,ctx):a=u.embedding(ids,ctx.n['tok_emb.weight']);a=a+ai(ids,ctx);a=F(a);a=aD(a,ctx);return a
 def x(e,o,t):a=e.stem(o,t);return F(aC(e,a,a,t))
 def logits(e,x,ctx):
  i=aF(x,ctx)
  for n in oq:i=n(e,i,ctx)
  return i
 def forward(e,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):n=fields or{};s={};fields={**s,**n};t=Context(ids,phases,e.training,e.matrices(),{},fields,adapter,observe,ledger);a=e.x(ids,t);i=e.logits(a,t);g=ap(i,targets,reduction,t);return g
def tG(t):
 t=s(t);a=sorted(l for l in t.parent.glob(t.name)if('_bytes_'in l.name)==('_bytes_'in t.name))
 if not a:raise ValueError(f"{t}: no shard matches, see DATA_PATH")
 return a
def tH(l):
 a=s(l).stat().st_size;t=M.fromfile(l,'<i4',3).tolist()
 if a<=1024 or t!=[20240520,1,(a-1024)/2]:raise ValueError(f"{l}: {a} bytes and header {t}, wanted 1024 + 2n bytes and header [20240520, 1, n > 0]")
 return t[2]
def H(l):
 n=M.memmap(l,'<u2','r',1024,tH(l))
 if n.max()>=1024:raise ValueError(f"{l}: token {n.argmax()} is {n.max()}, wanted an id below 1024")
 return n
def tI(t):
 n=M.concatenate([H(l)for l in tG(t)])
 if len(n)<=2048:raise ValueError(f"{t}: {len(n)} tokens, wanted at least 2049")
 return e.from_numpy(n[:(len(n)-1)//2048*2048+1])
def tJ():global ee,oH,et;ee=.0;oH=et=l.perf_counter()
def tK(t):global oH;oH=l.perf_counter()-t/1e3
def r(t,data):global ee,et;a=1e3*(l.perf_counter()-oH);o(f"stage:{t} begin:{ee:.0f}ms end:{a:.0f}ms data:{data}");ee=a;et=l.perf_counter()
def tL(a):
 global et
 if l.perf_counter()>et+10:et=l.perf_counter();o(a)
def tM(r,h):global en,oI,p,g,ea,eo,ei,es,w,Z;ea=r;p=h;eo=();ei='';tJ();en=False;Z=not(U or S);es=max(32,1);a=e.bfloat16 if i.type=='cuda'else e.float32;e._dynamo.config.recompile_limit=16;g=GPT(r,a);ez(r,h);oI=eC(g);t=s(R,'fineweb_val_*.bin');w=tI(t);aR(h);n=L.sha256(w.numpy().data).hexdigest();o(f"val_loader:shards pattern={t} tokens:{len(w)-1}\nval_sha256:{n}")
def I(h):t=s(R,'fineweb_train_*.bin');aT(t,h)
def tN():
 if not Z:raise ValueError('training data are closed: training time is over')
 d=aV((786432,2048)[0]//8,(786432,2048)[1]);a,s=(h.to(i,non_blocking=True)for h in d);return a,s,{}
def tO():return tuple(n.name for n in()if n.scoring and n.name in eo)
def tP():return B(te(len(w)))[0]
def tQ():a=[()];return a
def tR():
 a,s,l=tN();a,s=a[:1,:512],s[:1,:512];l={t:d[:1,:512]for(t,d)in l.items()};e=tuple(n.name for n in());g(a,s,phases=e,fields=l,ledger=p).backward()
 for o in ea:i=sum(g.get_parameter(t).grad is not None for t in o.s());p.count(o.q,'trained tensors',i)
 g.zero_grad()
def tS():
 i=g.state_dict();s={t:a.clone()for(t,a)in i.items()};d=eB();r=q();I(r)
 for h in tQ():
  for n in range(20):tX(d,h,Scalars(1.,1.,.9),r);o(' '.join((f"warmup_step:{n+1}/20",*h)))
 for(t,a)in i.items():a.copy_(s[t])
 e.manual_seed(V);I(p)
def tT(r):
 try:eS();eu();h=q()
 except ValueError as s:print(f"error: {s}",file=d.stderr);d.exit(2)
 a=ep(oD)[0];tc(a);e.manual_seed(V);e.backends.cuda.matmul.allow_tf32=True
 if T==0:tV()
 tf();o('plugins:'+' '.join(oA));tU(r,h)
 if Z:
  tW();tR();tS();n=ae()
  try:tg(n)
  except(OSError,ValueError)as s:tu(str(s));d.exit(f"error: rank {m}: {s}")
 t=not U and(tz()or en);em()
 if t:d.exit(1)
def tU(r,h):
 global eo
 try:
  tM(r,h);eK()
  if S:ty()
  elif U:eo=tuple(n.name for n in());tj()
  else:I(q())
  return
 except(OSError,ValueError)as s:
  tu(str(s))
  if not S:em()
  d.exit(2)
def tV():h.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');e.use_deterministic_algorithms(True)
def tW():o(f"model_params:{sum(a.numel()for a in g.parameters())}\nworld_size:{n} grad_accum_steps:{8//n}\nseed:{V}\ntrain_batch_tokens:786432 train_seq_len:2048 iterations:{f} warmup_steps:20 max_wallclock_seconds:{T:.3f}")
def tX(d,r,i,h):
 t=8//n;e=.0
 for p in range(t):a,s,l=tN();g=oI(a,s,phases=r,fields=l)/t;e+=g.detach();g.backward()
 d.step(i,h);return e
def tY(n,t,s):
 a=tA(n,t,s);i=Scalars(1.,1.,.0)
 for e in oB:i=e(a,i,p)
 return i
def tZ():return 1e3*T
def ae():
 d=eB();aZ(d.c,d.v);s=tZ();n=0;t=.0;oc()
 while True:
  u=n==f or 0<s<=t
  if u or oF>0 and n%oF==0:
   ou();a=tP();at(n,f"val_loss:{a.val_loss:.4f} val_bpb:{a.r:.4f}",t)
   if u:break
   oc()
  i=tY(n,t,s);g=tX(d,eo,i,p);n+=1;oe(d.c,n,i);t=eg(om(n))
  if oE>0 and(n<=10 or n%oE==0):
   at(n,f"train_loss:{g:.4f}",t)
   if g!=g:raise ValueError('the training loss is not a number')
 if n<f:o(f"stopping_early: wallclock_cap train_time:{t:.0f}ms step:{n}/{f}")
 h=e.cuda.max_memory_allocated()>>20;l=e.cuda.max_memory_reserved()>>20;o(f"peak memory allocated: {h} MiB reserved: {l} MiB");ot(d.c);tK(t);r('train','train');return n
def at(n,a,t):o(f"step:{n}/{f} {a} train_time:{t:.0f}ms step_avg:{t/max(n,1):.2f}ms")
def aa(a,i,o,t):t.t('additive_skips','skips');return a+t.n['skip_weights'][o].to(a.dtype)*i
def ao(a,t):
 n=e.bitwise_xor(36313*a[:,1:],27191*a[:,0:-1]);o=u.pad(n%3071,(1,0),value=3071);i=tC(t)
 if i is not None:s=i;o=o.masked_fill(s,3071)
 return o
def ai(a,t):t.t('bigram_hash','lookups');n=t.n['bigram.embed.weight'];d=u.embedding(ao(a,t),n);e=u.linear(d,t.n['bigram.proj.weight'].to(d.dtype));return e*t.n['bigram.scale'].to(d.dtype)
def an(a,e,o,t):return af(a,e,o,t)
def ar(a,o,n,i,t):r=a.l(o,'attn.c_q',n,i,t);l=a.l(o,'attn.c_k',n,i,t);h=a.l(o,'attn.c_v',n,i,t);h=aH(h,n,t);r=ay(F(e.unflatten(r,2,(8,-1))),t);l=ay(F(e.unflatten(l,2,(4,-1))),t);h=e.unflatten(h,2,(4,-1));r,l=ab(r,l,n,t);s=an(r,l,h,t);s=aI(s,h,n,t);s=a.l(s.flatten(2),'attn.proj',n,i,t);return G(s,o,'attn',i,t)
def ah(a,e,o):r=a.transpose(1,2);l=e.transpose(1,2);h=o.transpose(1,2);i=r.size(1)!=l.size(1);return u.scaled_dot_product_attention(r,l,h,is_causal=True,enable_gqa=i).transpose(1,2)
def al():
 if i.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as a;return'flash-attn 3',a
 except ImportError:
  try:from flash_attn import flash_attn_func as a;return'flash-attn 2',a
  except ImportError:return au(),None
def ad(t,a,e,o):s=t(a,e,o,causal=True,window_size=(-1,0));return s[0]if isinstance(s,tuple)else s
def ac(t,a,e,o):
 if t is not None:return ad(t,a,e,o)
 return ah(a,e,o)
def au():a=e.are_deterministic_algorithms_enabled();e.backends.cuda.enable_cudnn_sdp(not a);e.backends.cuda.enable_flash_sdp(a);e.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if a else'cuDNN'
def am():global ok;t,ok=al();return t
def af(r,l,h,t):t.t('causal_attention','layers');return ac(ok,r,l,h)
def ap(n,a,reduction,t):t.t('cross_entropy','losses');g=u.cross_entropy(n.flatten(0,1).float(),a.flatten(),reduction=reduction);return g.view_as(a)if reduction=='none'else g
def ag(a,o,n,i,t):t.t('leaky_relu2','layers');e=u.leaky_relu(a.l(o,'mlp.fc',n,i,t),.5).square();return a.l(e,'mlp.proj',n,i,t)
def aw(o,n,t):t.t('ln_scale','branches');e=(n+1)**-.5;return o*e
def J(tensor,generator,ledger):
 if min(tensor.shape)>=64:N.init.orthogonal_(tensor,generator=generator);ledger.count('ortho_init','orthogonal matrices')
 else:t=tensor.shape[-1]**-.5;tensor.uniform_(-t,t,generator=generator)
def ay(a,t):t.t('partial_rope','rotations');n=tF(a[...,:16],t);return e.cat((n,a[...,16:]),-1)
def ab(a,e,n,t):t.t('qk_gain','layers');o=t.n[f"blocks.{n}.attn.q_gain"].to(a.dtype);return a*o[:,None],e
def av(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def ak(a,s,n,t):e=t.n[f"blocks.{n}.resid_mix"].to(a.dtype);return e[0]*a+e[1]*s
def ax(a,n,t):e=F(a);e=aw(e,n,t);return e
def aj(a,o,n,i,t):e=ar(a,o,n,i,t);return t.n[f"blocks.{n}.attn_scale"].to(o.dtype)*e
def aq(a,o,n,i,t):e=ag(a,o,n,i,t);e=G(e,o,'mlp',i,t);return t.n[f"blocks.{n}.mlp_scale"].to(o.dtype)*e
def az(a,e,s,n,i,t):o=ak(e[0],s,n,t);o=o+aj(a,ax(o,n,t),n,i,t);return o+aq(a,ax(o,n,t),n,i,t),
def aA(e,i,o,n,t):
 if i is None:return e
 return aa(e[0],i,o,t),*e[1:]
def aB(a,e,s,t):
 h,l=aG();t.t('unet_plan','steps over 11 layers',len(h)+len(l));r=[]
 for(i,n)in enumerate(h):e=az(a,e,s,n,i,t);r.append(e[0])
 for(o,n)in enumerate(l):e=aA(e,r.pop()if r else None,o,n,t);e=az(a,e,s,n,len(h)+o,t)
 return e
def aC(a,n,e,t):t.t('sequential_wiring','walks');return aB(a,(n,),e,t)[0]
def aD(n,t):
 t.t('smear_gate','blends');a=tB(n);i=tC(t)
 if i is not None:a=a.masked_fill(i[...,None],0)
 o=e.sigmoid(t.n['smear.gate']).to(n.dtype);return(1-o)*n+o*a
def aE(model,n,ctx,cap):ctx.t('tanh_softcap','caps');return cap*e.tanh(n/cap)
def aF(n,t):t.t('tied_head','heads');return tE(t.n['tok_emb.weight'],n,'head',0,0,t)
def aG():e=tuple(range(11));return e[:len(e)//2],e[len(e)//2:]
def aH(a,n,t):
 if n not in(9,10):return a
 t.t('value_embedding','layers')
 if've'not in t.memo:d=u.embedding(t.ids,t.n['ve_shared.embed.weight']);d=u.linear(d,t.n['ve_shared.proj.weight'].to(d.dtype));t.memo['ve']=d*t.n['ve_shared.scale'].to(d.dtype)
 e=t.n[f"ve_layer_scales.{oC.index(n)}"];o=t.memo['ve'];return a+e.to(a.dtype)*o
def aI(a,o,n,t):
 if n<0:return a
 t.t('xsa','layers');i=e.unflatten(a,2,(o.size(2),-1));s=u.normalize(o,dim=-1)[:,:,:,None,:];return(i-(i*s).sum(-1,keepdim=True)*s).flatten(2,3)
def aJ(data):i=lzma.compress(data,preset=9);p.i('lzma',f"{len(data)} -> {len(i)} bytes");return i
def aK(data,t):
 l=lzma.LZMADecompressor(memlimit=2**27);a=l.decompress(data,t)
 if not l.eof or l.unused_data:raise ValueError(f"wanted one whole stream of at most {t} bytes")
 return a
def aL(n):a=io.BytesIO();i={d.intern(t):{d.intern(s):h for(s,h)in o.items()}for(t,o)in n.items()};e.save(i,a);return a.getvalue()
def aM(data):return e.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def aN(n):h=aL(n);p.i('torch_save',f"{len(n)} tensors in {len(h)} bytes");return h
def aO(data):return aM(data)
def aP():
 try:a=SentencePieceProcessor(W)
 except(OSError,RuntimeError)as s:raise OSError(f"{W}: not a SentencePiece model")from s
 if len(a)>1024:raise ValueError(f"{W} has {len(a)} pieces, wanted at most vocab_size=1024")
 if a.piece_to_id('\u2581')==a.unk_id():raise ValueError(f"{W}: U+2581 is not a piece of its own")
 return a
def aQ(a):
 d=[(0,0,1)]*1024
 for t in range(len(a)):
  if not(a.is_control(t)or a.is_unknown(t)or a.is_unused(t)):n=a.id_to_piece(t);o=n.startswith('\u2581');d[t]=1 if a.is_byte(t)else len(n.encode())-3*o,o,0
 return e.tensor(d).T
def aR(h):
 global oT,oS,oJ,oR
 if any(s(R).glob('*_bytes_*')):raise ValueError(f"{R}: it has byte side files, build with the plugin that reads them")
 a=aQ(aP());oR,oS,oT=a.to(i);oJ=h
def aS(t,a,n):oJ.count('sentencepiece_bytes','targets',a.numel());u=oR[a]+(oS[a]&~oT[t]);return u
def aT(t,h):
 global er,oM,oK,eh,oL;er=tG(t)
 for l in er:tH(l)
 oK=m;oL=n;oM=h;eh=H(er[0])
def aU(a):
 global eh;o=[]
 while a>0:
  if not len(eh):er.append(er.pop(0));eh=H(er[0])
  o.append(eh[:a]);eh=eh[a:];a-=len(o[-1])
 return M.concatenate(o)
def aV(n,a):t=aU(oL*(n+1)).reshape(oL,-1)[oK];t=e.from_numpy(t.astype(int));oM.count('sequential_loader','batches');return t[:-1].reshape(-1,a),t[1:].reshape(-1,a)
def aW(a):t=min(64,2048);d=a-1;n=range(0,max(d-(2048-t),1),t);return[Span(h,min(h+2048,d),0 if h==0 else 2048-t)for h in n]
def aX(i):global oN;h=[{'params':s,'spec':n}for(n,s,r)in i];oN=e.optim.AdamW(h,betas=(.9,.95),eps=1e-08,fused=True)
def aY(i,h):
 for o in oN.param_groups:o['lr']=o['spec'].lr*i.o;o['weight_decay']=o['spec'].weight_decay*i.b
 oN.step();h.count('adam','steps')
@e.no_grad()
def aZ(s,r):global el,oO;oO=0;el=[a.detach().float().clone()for a in s]
@e.no_grad()
def oe(s,r,i):global oO;oO+=1;e._foreach_mul_(el,.997);e._foreach_add_(el,[a.detach().float()for a in s],alpha=1-.997)
@e.no_grad()
def ot(s):
 for(a,t)in zip(s,el,strict=True):a.copy_(t)
 p.count('ema','updates',oO)
def oa(s,names,ledger,max_norm):N.utils.clip_grad_norm_(s,max_norm);ledger.count('grad_clip','steps')
def oo(a,i,ledger,start,final,steps):t=min(a.step/steps,1.)if steps>0 else 1.;l=(1-t)*start+t*final;ledger.i('momentum_warmup',f"momentum {l:.4f} at step {a.step}");return i._replace(momentum=l)
def oi(tensor,t,names,lr,i,ledger,weight_decay):tensor.mul_(1-lr*weight_decay*i.b);ledger.count('muon_weight_decay','tensors decayed')
def on(a,steps,scale_first):
 n=a.shape[-2]>a.shape[-1]
 if n:a=a.mT
 a=a/(a.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for p in range(steps):t=a@a.mT;e=2.0315*t@t if scale_first else 2.0315*(t@t);a=3.4445*a+(-4.775*t+e)@a
 return a.mT if n else a
class MuonBank(a):weight:a;names:a;j:a;full:a;y:a;momentum:a;ea:a
def os(s,r):
 global ed,oV;oV=eE();ed=[];w=e.bfloat16 if i.type=='cuda'else e.float32
 for(o,g)in sorted(zip(s,r,strict=True),key=lambda b:-b[0].numel()):*p,d,Y=o.shape;c=-(-len(g)//n);u=(*g,*['']*c*n)[c*m:][:c];J=[(a,d,Y)for a in(c*n,c)];h,t=[e.zeros(f,dtype=w,device=i)for f in J];ea,l=[e.zeros(f,dtype=e.bfloat16,device=i)for f in J];ed.append(MuonBank(o,g,u,h,t,l,ea))
def oh():
 global oP;oP=[]
 for a in ed:r=ew(a.weight).bfloat16();a.full.flatten()[:r.numel()].copy_(r.flatten());oP.append(eb(a.y,a.full))
def ol(i,h):
 o=[]
 for(a,e)in zip(ed,oP,strict=True):
  ek(e);l=n;r=(a.y/l).bfloat16();t=eI(r,a.momentum,i.momentum);t=eF(t,a.j);o.append((a,ev(a.ea,t),t))
  if len(o)>1:od(*o.pop(0),i,h)
 for s in o:od(*s,i,h)
def od(a,e,t,i,h):ek(e);o=a.weight;n=a.ea.flatten()[:o.numel()].view_as(o);eG(o,n,a.names,eJ(o),i,h);h.count('parallel_muon','bank updates');h.count('newton_schulz','matrices',a.ea.size(0))
def oc():global oQ;oQ=l.perf_counter()-O
def ou():
 global O
 if e.cuda.is_available():e.cuda.synchronize()
 O=l.perf_counter()-oQ;p.i('wall_clock',f"{O:.3f} seconds")
def om(n):return 1e3*(l.perf_counter()-oQ)
def of(a,length):
 if length<=0:return 1.
 if a.m>0:t=length*(a.f/max(a.step,1));return min(max(a.m-a.f,.0)/max(t,1e-09),1.)
 n=a.k-a.step;return n/length if 0<n<=length else 1.
def op(a,i,ledger,length):t=of(a,length);ledger.i('warmdown_iters',f"multiplier {t:.4f} at step {a.step}");return i._replace(o=i.o*t)
class og:
 name='int6'
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int6','tensors kept');return{'kept':tensor.half()}
  ledger.count('int6','tensors quantized');o,n=eO(tensor.float());return{'codes':o,'step':n}
 def decode(e,name,parts,kind):return eQ(parts,kind)
class K:
 name='int8'
 def __init__(e,a):e.half=a
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int8','tensors kept');return{'kept':tensor.half()if e.half else tensor.float()}
  ledger.count('int8','tensors quantized');o,n=eP(tensor.float());return{'codes':o,'step':n}
 def decode(e,name,parts,kind):return eQ(parts,kind)
def ow():return Param('qo_bank',(22,512,512),'matrix','attn',(J,v),'banks',h=('blocks.{}.attn.c_q.weight','blocks.{}.attn.proj.weight'),reduction='sharded'),Param('kv_bank',(22,256,512),'matrix','attn',(J,J),'banks',h=('blocks.{}.attn.c_k.weight','blocks.{}.attn.c_v.weight'),reduction='sharded'),Param('mlp_up_bank',(11,1536,512),'matrix','mlp',(J,),'banks',h=('blocks.{}.mlp.fc.weight',),reduction='sharded'),Param('mlp_down_bank',(11,512,1536),'matrix','mlp',(v,),'banks',h=('blocks.{}.mlp.proj.weight',),reduction='sharded'),Param('skip_weights',(5,512),'scalar','control',k,'additive_skips'),Param('bigram.embed.weight',(3072,112),'embed','aux',v,'bigram_hash','activation'),Param('bigram.proj.weight',(512,112),'scalar','aux',J,'bigram_hash'),Param('bigram.scale',(),'scalar','control',t(j,value=.05),'bigram_hash'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',t(j,value=1.5),'qk_gain',layers=11),Param('blocks.{}.attn_scale',(512,),'scalar','control',k,'residual_scales',layers=11),Param('blocks.{}.mlp_scale',(512,),'scalar','control',k,'residual_scales',layers=11),Param('blocks.{}.resid_mix',(2,512),'scalar','control',av,'residual_scales',layers=11),Param('smear.gate',(512,),'scalar','control',v,'smear_gate'),Param('tok_emb.weight',(1024,512),'embed','embed',t(eA,std=.005),'tied_head','activation',C='head'),Param('ve_shared.embed.weight',(1024,128),'embed','aux',t(eA,std=.01),'value_embedding','activation'),Param('ve_shared.scale',(),'scalar','control',t(j,value=.1),'value_embedding'),Param('ve_layer_scales.{}',(1,),'scalar','control',k,'value_embedding',layers=2),Param('ve_shared.proj.weight',(256,128),'scalar','aux',J,'value_embedding')
def oy():global ei;ei='causal_attention';eL(am())
ov=t(oi,weight_decay=.04),
ok=None
O=.0
ox=t(oa,max_norm=.3),
oj=Group('embed',.035,.04),Group('scalar',.025,.04)
oq=t(aE,cap=3e1),
oz=t(on,scale_first=False)
P=None
oA='adam','additive_skips','banks','bigram_hash','causal_attention','cross_entropy','ema','grad_clip','int6','int8','leaky_relu2','ln_scale','lzma','momentum_warmup','muon_weight_decay','newton_schulz','ortho_init','parallel_muon','partial_rope','qk_gain','residual_scales','sentencepiece_bytes','sequential_loader','sequential_wiring','sliding_eval','smear_gate','tanh_softcap','tied_head','torch_save','unet_plan','value_embedding','wall_clock','warmdown_iters','xsa'
oB=t(oo,final=.99,start=.92,steps=1500),t(op,length=4000)
Q={'attn':og(),'aux':K(True),'control':K(False),'embed':K(True),'mlp':og()}
oC=9,10
if __name__=='__main__':tT(ow())